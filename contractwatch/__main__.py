"""`python -m contractwatch` is the command."""

from contractwatch.cli import main

if __name__ == "__main__":
    main()
