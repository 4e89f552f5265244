"""Tests of the default port in the Prometheus example."""

from pathlib import Path

import yaml

from contractwatch.settings import DEFAULT_PORT, load_settings

REPOSITORY = Path(__file__).parents[2]


def test_prometheus_scrapes_the_port_that_the_agent_listens_on(tmp_path: Path) -> None:
    config = yaml.safe_load((REPOSITORY / "grafana" / "prometheus.yml").read_text())
    targets = [
        target
        for job in config["scrape_configs"]
        for static in job["static_configs"]
        for target in static["targets"]
    ]
    empty = tmp_path / "contractwatch.toml"
    empty.write_text("")
    assert load_settings(empty, {}).port == DEFAULT_PORT
    assert targets == [f"localhost:{DEFAULT_PORT}"]


def test_no_document_names_another_port_of_the_agent() -> None:
    pages = [REPOSITORY / "README.md", *(REPOSITORY / "docs").glob("*.md")]
    for page in pages:
        assert "localhost:8080" not in page.read_text(), page.name
