"""The pages, series and answers of the agent; it reads the record and never scans data."""
