"""The lineitem promises written for other tools, each run in its own environment."""
