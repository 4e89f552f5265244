"""Run the command line: `python -m contractwatch`."""

from contractwatch.cli import main

if __name__ == "__main__":
    main()
