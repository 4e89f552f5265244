"""Tests of what lint predicts: promises to be skipped and, with --data, missing data."""

from pathlib import Path

from cli_values import call, publish


def told(folder: Path, old: str = "", new: str = "", *words: str) -> tuple[int, str]:
    publish(folder, edit=lambda text: text.replace(old, new, 1) if old else text)
    ended = call("lint", folder, *words)
    return ended.code, ended.out


def test_nothing_is_forecast_of_a_contract_that_is_judged_as_a_whole(tmp_path: Path) -> None:
    assert told(tmp_path) == (0, "1 contract: 0 errors, 0 warnings\n")


def test_a_server_that_is_not_read_skips_every_clause(tmp_path: Path) -> None:
    old = "type: local\n    path: orders.csv\n    format: csv"
    new = "type: sqlserver\n    host: h\n    port: 5432\n    database: d\n    schema: s"
    code, out = told(tmp_path, old, new)
    assert code == 0
    assert "`test` would judge 0 of " in out
    assert "servers of type 'sqlserver' are not read yet" in out


def test_a_contract_without_a_server_skips_every_clause(tmp_path: Path) -> None:
    path = publish(tmp_path)
    lines = path.read_text().splitlines(keepends=True)
    start = next(i for i, line in enumerate(lines) if line.startswith("servers:"))
    end = next(i for i in range(start + 1, len(lines)) if lines[i][0] not in " -")
    path.write_text("".join(lines[:start] + lines[end:]))
    out = call("lint", tmp_path).out
    assert "`test` would judge 0 of " in out
    assert "the contract names no server" in out


def test_a_service_level_that_is_not_executed_is_told_with_its_line(tmp_path: Path) -> None:
    path = publish(tmp_path)
    path.write_text(f"{path.read_text()}slaProperties:\n  - {{property: uptimeOfMars, value: 1}}\n")
    line = len(path.read_text().splitlines())
    out = call("lint", tmp_path).out
    assert f"skipped: 1 (line {line}): unsupported: the service level uptimeOfMars" in out


def test_nested_promises_in_csv_are_judged_and_no_skip_is_forecast(tmp_path: Path) -> None:
    path = publish(tmp_path)
    before = call("lint", tmp_path).out
    nested = (
        "      - {name: at, logicalType: object, properties: [\n"
        "          {name: city, logicalType: string, required: true}]}\n"
    )
    text = path.read_text()
    assert "    properties:\n" in text
    path.write_text(text.replace("    properties:\n", f"    properties:\n{nested}", 1))
    assert call("lint", tmp_path).out == before
    assert "skipped" not in before


def test_a_wrong_clause_is_in_the_forecast(tmp_path: Path) -> None:
    code, out = told(tmp_path, "logicalType: integer", "logicalType: int")
    assert code == 1
    assert "wrong in the contract, see above" in out


def test_data_that_is_not_there_is_an_error_with_the_line_of_its_server(tmp_path: Path) -> None:
    assert told(tmp_path, "", "", "--data")[0] == 0
    next(tmp_path.glob("*.csv")).unlink()
    ended = call("lint", tmp_path, "--data")
    assert ended.code == 1
    assert "servers[0]: the data is not found: " in ended.out
    assert call("lint", tmp_path).code == 0


def test_many_warnings_of_one_kind_are_one_line_with_their_number(tmp_path: Path) -> None:
    path = publish(tmp_path)
    levels = "".join(
        f"  - {{id: l{n}, property: uptime{n}s, value: 1}}\n  - {{id: m{n}, property: frequency, "
        f"value: {n + 1}, unit: m}}\n"
        for n in range(44)
    )
    path.write_text(f"{path.read_text()}slaProperties:\n{levels}")
    lines = [
        line for line in call("lint", tmp_path).out.splitlines() if "is read as minutes" in line
    ]
    (line,) = lines
    last = len(path.read_text().splitlines())
    assert line.endswith(f"; 43 more like it, the last in line {last} (warning)")


def test_of_hundreds_of_servers_that_are_not_read_each_for_its_own_reason_the_rest_is_counted(
    tmp_path: Path,
) -> None:
    path = publish(tmp_path)
    before, after = path.read_text().split("servers:\n", 1)
    others = "".join(
        f"  - {{server: s{n}, type: local, path: x{n}, format: f{n}}}\n" for n in range(90)
    )
    path.write_text(f"{before}servers:\n{others}{after}")
    out = call("lint", tmp_path).out
    assert out.count("`test` would judge") <= 20
    assert "more servers is not told; name fewer" in out
