"""HTTP pages, Prometheus series and JSON API of the agent, built from the record."""
