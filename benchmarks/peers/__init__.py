"""The lineitem promises in the words of other tools, each run in an environment of its own."""
