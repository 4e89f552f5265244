"""Tests of the alerting rules: their syntax, and each one silent and firing."""

import re
import subprocess
from pathlib import Path

from tests.programs import needs

RULES = Path(__file__).parents[2] / "grafana" / "rules"


def promtool(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [needs("promtool"), *words],
        cwd=RULES,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_prometheus_reads_the_rules() -> None:
    checked = promtool("check", "rules", "contractwatch-agent.rules.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert "9 rules found" in checked.stdout


def test_every_rule_is_silent_and_fires_as_its_unit_tests_say() -> None:
    tested = promtool("test", "rules", "tests.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def test_every_rule_has_a_silent_and_a_firing_case() -> None:
    rules = (RULES / "contractwatch-agent.rules.yml").read_text()
    tests = (RULES / "tests.yml").read_text()
    for alert in re.findall(r"- alert: (\w+)", rules):
        assert re.search(rf"alertname: {alert}, exp_alerts: \[\]", tests), alert
        assert re.search(rf"alertname: {alert}\n\s+exp_alerts:\n\s+- exp_labels", tests), alert


def test_the_example_configuration_is_read() -> None:
    checked = promtool("check", "config", "--syntax-only", str(RULES.parent / "prometheus.yml"))
    assert checked.returncode == 0, checked.stdout + checked.stderr
