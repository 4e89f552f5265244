import json
import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from report_values import FILE, report

from contractwatch.cli import main
from contractwatch.cli.reports import REPORTS, ReportFormat, render
from contractwatch.cli.reports.findings import FailOn

GOLDEN = Path(__file__).parents[2] / "golden" / "reports"
SUFFIXES = {
    ReportFormat.TEXT: "txt",
    ReportFormat.JSON: "json",
    ReportFormat.JUNIT: "xml",
    ReportFormat.GITHUB: "txt",
    ReportFormat.SARIF: "json",
    ReportFormat.MARKDOWN: "md",
}


def test_every_form_has_a_file_and_is_documented() -> None:
    docs = (Path(__file__).parents[3] / "docs" / "results.md").read_text()
    assert set(REPORTS) == set(ReportFormat) == set(SUFFIXES)
    assert [form for form in ReportFormat if f"`{form}`" not in docs] == []


@pytest.mark.parametrize("form", ReportFormat)
def test_golden_report_is_as_reviewed(form: ReportFormat) -> None:
    file = GOLDEN / f"{form.value}.{SUFFIXES[form]}"
    found = render(form, report())
    if os.environ.get("CONTRACTWATCH_GOLDEN") == "write":
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")
    assert render(form, report()) == found


@pytest.mark.parametrize("form", ReportFormat)
def test_no_form_lets_a_contract_move_the_cursor(form: ReportFormat) -> None:
    assert "\x1b" not in render(form, report(show_all=True))


def test_junit_counts_what_it_lists() -> None:
    root = ET.fromstring(render(ReportFormat.JUNIT, report()))
    suites = root.findall("testsuite")
    assert len(suites) == 3
    for element in (root, *suites):
        for name, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert int(element.attrib[name]) == len(element.findall(f".//{tag}"))
        assert int(element.attrib["tests"]) == len(element.findall(".//testcase"))
    assert [suite.attrib["failures"] for suite in suites] == ["1", "0", "0"]


def test_junit_fails_on_warnings_when_the_call_does() -> None:
    root = ET.fromstring(render(ReportFormat.JUNIT, report(fail_on=FailOn.WARNING)))
    assert root.attrib["failures"] == "3"


def test_github_annotates_at_the_line_and_escapes_what_ends_a_property() -> None:
    lines = render(ReportFormat.GITHUB, report()).splitlines()
    commands = [line for line in lines if line.startswith("::")]
    shape = re.compile(r"::(error|warning|notice) file=[^:,]+(,line=\d+)?,title=[^:,]*::.+")
    assert all(shape.fullmatch(line) for line in commands)
    assert commands[0].startswith("::error file=contracts/or ders%2C1%3A2.odcs.yaml,line=13,")
    assert all("::" not in line for line in lines if line not in commands)


def test_sarif_holds_to_its_rules() -> None:
    body = json.loads(render(ReportFormat.SARIF, report(show_all=True)))
    (run,) = body["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == sorted(set(rules))
    assert {"fail", "pass", "open", "notApplicable"} == {r["kind"] for r in run["results"]}
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["message"]["text"]
        assert (result["level"] == "none") == (result["kind"] != "fail")
        (location,) = result["locations"]
        physical = location["physicalLocation"]
        assert re.fullmatch(r"[A-Za-z0-9/%._~-]+", physical["artifactLocation"]["uri"])
        assert physical.get("region", {"startLine": 1})["startLine"] >= 1
    assert [one["executionSuccessful"] for one in run["invocations"]] == [True, False, False]
    assert {one["startTimeUtc"] for one in run["invocations"] if "startTimeUtc" in one} == {
        "2026-03-01T11:59:58.250Z",
        "2026-03-01T12:00:00.250Z",
    }


def test_markdown_has_no_cell_that_ends_early() -> None:
    lines = render(ReportFormat.MARKDOWN, report()).splitlines()
    rows = [line for line in lines if line.startswith("| ")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {6}
    assert FILE in "\n".join(lines)


@pytest.mark.parametrize("form", ReportFormat)
def test_no_form_calls_a_table_empty_because_a_clause_is_wrong(
    form: ReportFormat, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    example = Path(__file__).parents[3] / "contracts" / "example"
    text = (example / "orders.odcs.yaml").read_text()
    (tmp_path / "orders.csv").write_bytes((example / "orders.csv").read_bytes())
    contract = tmp_path / "orders.odcs.yaml"
    contract.write_text(text.replace("metric: invalidValues", "metric: invalidVallues"))
    with pytest.raises(SystemExit):
        main(["test", "--format", form.value, str(contract)])
    said = capsys.readouterr().out
    assert "invalidVallues" in said or form is ReportFormat.JUNIT
    assert "empty" not in said
