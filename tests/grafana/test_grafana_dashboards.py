"""Tests of the dashboards: built by build.py, every query answered by a real Prometheus."""

import json
import re
import socket
import subprocess
import sys
import time
from collections.abc import Generator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry

from contractwatch.agent.series import AgentSeries
from contractwatch.model.record.run import RunOutcome
from contractwatch.web.app import create_app
from contractwatch.web.server.site import HealthReport
from contractwatch.web.snapshot_cache import SnapshotCache
from tests.programs import needs
from tests.web import web_values as values
from tests.web.serving import served
from tests.web.web_reader import Memory, shifted

GRAFANA = Path(__file__).parents[2] / "grafana"
NAMES = ("fleet", "product")
VARIABLES = {
    "$product": "finance/orders",
    "$__rate_interval": "5s",
    "$__range": "10s",
    "$__interval": "1s",
}
PATIENCE_SECONDS = 60


def dashboard(name: str) -> dict[str, object]:
    return json.loads((GRAFANA / "dashboards" / f"{name}.json").read_text())


def queries(name: str) -> list[tuple[str, str]]:
    found = [
        (panel["title"], target["expr"])
        for panel in dashboard(name)["panels"]
        for target in panel["targets"]
    ]
    for variable, value in VARIABLES.items():
        found = [(title, expr.replace(variable, value)) for title, expr in found]
    return found


def test_the_committed_files_are_those_of_the_build() -> None:
    checked = subprocess.run(
        [sys.executable, GRAFANA / "build.py", "--check"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (checked.returncode, checked.stderr) == (0, "")


def test_the_identities_of_the_dashboards_are_fixed() -> None:
    assert [dashboard(name)["uid"] for name in NAMES] == [
        "contractwatch-fleet",
        "contractwatch-product",
    ]


def test_the_product_dashboard_asks_for_a_product() -> None:
    variables = {one["name"]: one for one in dashboard("product")["templating"]["list"]}
    assert variables["product"]["definition"] == (
        "label_values(contractwatch_product_info, product)"
    )
    exprs = [
        target["expr"] for panel in dashboard("product")["panels"] for target in panel["targets"]
    ]
    assert all('product="$product"' in expr for expr in exprs)


@pytest.mark.parametrize("name", NAMES)
def test_no_two_panels_lie_on_one_another(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard(name)["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells


@pytest.fixture
def agent() -> Generator[str]:
    """The application over a fleet as of now, with the agent's own series beside it."""
    series = AgentSeries(CollectorRegistry())
    series.know_receivers(["ops"])
    now = datetime.now(UTC)
    series.beat(now)
    series.reloaded(is_whole=True, at=now)
    series.workers_limit(2)
    series.started(0.2)
    series.evaluated(RunOutcome.PASSED, was_late=False)
    records = tuple(shifted(record, now - values.NOW) for record in values.fleet())
    snapshots = SnapshotCache(Memory(records, beat=None), lambda: datetime.now(UTC))
    snapshots.start()
    well = HealthReport(alive=True, ready=True, words="well")
    app = create_app(snapshots, health=lambda: well, registry=series.registry)
    try:
        with served(app) as url:
            yield url
    finally:
        snapshots.stop()


@pytest.fixture
def prometheus(agent: str, tmp_path: Path) -> Generator[httpx.Client]:
    """A real Prometheus that scrapes the agent every second and has its rules loaded."""
    program = needs("prometheus")
    rules = GRAFANA / "rules" / "contractwatch-agent.rules.yml"
    target = agent.removeprefix("http://")
    (tmp_path / "prometheus.yml").write_text(
        f"global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n"
        f"rule_files: ['{rules}']\n"
        "scrape_configs: [{job_name: contractwatch, "
        f"static_configs: [{{targets: ['{target}']}}]}}]\n"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(
            [
                program,
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address={address}",
            ],
            stdout=log,
            stderr=log,
        )
        try:
            with httpx.Client(base_url=f"http://{address}", trust_env=False) as client:
                yield client
        finally:
            process.terminate()
            process.wait(15)


def series_of(prometheus: httpx.Client, expr: str) -> int:
    try:
        answer = prometheus.get("/api/v1/query", params={"query": expr})
    except httpx.TransportError:
        return 0
    assert answer.status_code in {200, 503}, f"{expr}: {answer.text}"
    return len(answer.json()["data"]["result"]) if answer.status_code == 200 else 0


@pytest.mark.slow
def test_every_query_of_every_panel_returns_a_series(prometheus: httpx.Client) -> None:
    waiting = [(name, *query) for name in NAMES for query in queries(name)]
    assert len(waiting) > 30
    deadline = time.monotonic() + PATIENCE_SECONDS
    while waiting and time.monotonic() < deadline:
        waiting = [one for one in waiting if series_of(prometheus, one[2]) == 0]
        time.sleep(0.2)
    assert waiting == []
    assert series_of(prometheus, "up{job='contractwatch'} == 1") == 1
    alerts = prometheus.get("/api/v1/rules").json()["data"]["groups"][0]["rules"]
    assert len(alerts) == 9
    assert [alert["name"] for alert in alerts if alert.get("lastError")] == []


def test_every_series_of_the_dashboards_and_rules_is_exported(agent: str) -> None:
    exported = set(re.findall(r"^# TYPE (\S+) ", httpx.get(f"{agent}/metrics").text, re.M))
    texts = [expr for name in NAMES for _, expr in queries(name)]
    texts.append((GRAFANA / "rules" / "contractwatch-agent.rules.yml").read_text())
    asked = set(re.findall(r"contractwatch_[a-z_]+", " ".join(texts)))
    asked = {name.removesuffix("_bucket") for name in asked}
    assert asked <= exported, asked - exported
