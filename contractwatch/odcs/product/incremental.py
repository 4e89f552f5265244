"""Read `contractwatch.incremental`: the column that tells which rows no longer change."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from contractwatch.model.contract.contract import Column, LogicalType, Table
from contractwatch.model.contract.incremental import Incremental, IncrementalMode
from contractwatch.odcs.product.schedules import cron_at, duration_at
from contractwatch.odcs.values.zones import UTC_NAME, is_zone
from contractwatch.odcs.yaml.node import Findings, YamlNode, suggestion

_DATE_TYPES = frozenset({LogicalType.DATE, LogicalType.TIMESTAMP})
_NUMBERS = frozenset({LogicalType.INTEGER, LogicalType.NUMBER})
_UNCLASSIFIED = frozenset({"", "public", "internal"})


def with_incremental(
    root: YamlNode, tables: Iterable[Table], findings: Findings
) -> tuple[Table, ...]:
    """Return the tables with their `contractwatch.incremental`; an unusable one is a warning."""
    nodes = {node.text("name"): node for node in root.at("schema").each()}
    return tuple(
        replace(table, incremental=_read_incremental(root, nodes[table.name], table, findings))
        for table in tables
    )


def _read_incremental(
    root: YamlNode, node: YamlNode, table: Table, findings: Findings
) -> Incremental | None:
    written = node.extension("incremental")
    if written is None or written.text("mode") not in IncrementalMode.__members__.values():
        return None
    name = written.text("column")
    column = table.column(name)
    schedule = root.extension("schedule")
    zone = schedule.text("timezone") if schedule is not None else ""
    found = Incremental(
        column=column.physical_name if column is not None else name,
        mode=IncrementalMode(written.text("mode")),
        lookback=duration_at(written, "lookback", findings) or timedelta(0),
        timezone=column.default_timezone if column is not None else UTC_NAME,
        full_scan=cron_at(written, "fullScan", findings) or "",
        full_scan_timezone=zone if is_zone(zone) else UTC_NAME,
    )
    why = _unusable_reason(column, name)
    if why:
        hint = "" if column else suggestion(name, [one.name for one in table.columns])
        findings.warn(written.at("column"), f"all rows are read: {why}{hint}")
        return replace(found, unusable=why)
    if not found.full_scan and not written.has("fullScan"):
        message = "what is late, mended or deleted among old rows is never seen"
        findings.warn(written, f"{message}; expected 'fullScan', such as '0 3 * * 0'")
    if column is not None and column.logical_type in _NUMBERS and written.has("lookback"):
        message = "a number has no time to look back; expected none, it is not used"
        findings.warn(written.at("lookback"), message)
        return replace(found, lookback=timedelta(0))
    return found


def _unusable_reason(column: Column | None, name: str) -> str:
    if column is None:
        return f"unknown column '{name[:60]}'; expected a column of the table"
    kind = column.logical_type
    if kind is not None and kind not in _DATE_TYPES | _NUMBERS:
        expected = "expected a date, a timestamp, an integer or a number"
        return f"column '{name[:60]}' is of type {kind}; {expected}"
    if column.classification.strip().lower() not in _UNCLASSIFIED:
        return f"column '{name[:60]}' is classified, and a value of it would be kept"
    return ""
