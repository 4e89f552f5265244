"""Say what to write in ODCS instead of a quality metric of another tool."""

import re
from collections.abc import Mapping

_SLA = (
    "write it under 'slaProperties', as {{property: {}, value: 1, unit: {}, element: table.column}}"
)
_WORDS_OF_HINT: Mapping[str, str] = {
    "write 'required: true' at the column, or 'metric: nullValues' with 'mustBe: 0'": """
        notnull isnotnull nonnull nonulls required completeness notempty nonnullable notnullable
        expectcolumnvaluestonotbenull missingcount missing nulls nullcheck""",
    "write 'unique: true' at the column, or 'metric: duplicateValues' with 'mustBe: 0'": """
        unique isunique uniqueness distinct uniquevalues noduplicates uniquecount
        expectcolumnvaluestobeunique primarykey""",
    "write 'metric: invalidValues' with 'arguments: {validValues: [...]}'": """
        acceptedvalues allowedvalues validvalues enum inset oneof isin valuesin enumeration
        expectcolumnvaluestobeinset allowed valid""",
    "write 'metric: invalidValues' with 'arguments: {pattern: ...}'": """
        regex pattern matches regexmatch matchesregex matchespattern like format regexp
        expectcolumnvaluestomatchregex""",
    "write 'logicalTypeOptions: {minimum: ..., maximum: ...}' at the column": """
        min max minimum maximum range between minvalue maxvalue inrange valuerange
        expectcolumnvaluestobebetween positive""",
    "write 'logicalTypeOptions: {minLength: ..., maxLength: ...}' at the column": """
        minlength maxlength length stringlength""",
    "write 'relationships: [{to: table.column}]' at the column": """
        relationship relationships foreignkey references referentialintegrity fk""",
    "write 'metric: rowCount' at the table": """
        count rows volume recordcount rowscount numberofrows tablerowcount records size""",
    "write 'logicalType' at the column": "type datatype schema coltype columntype",
    "write 'type: sql' with a 'query'": "sql query customsql userdefined",
    _SLA.format("freshness", "d"): "freshness latency timeliness age recency delay staleness",
    _SLA.format("retention", "y"): "retention",
    _SLA.format("frequency", "d"): "frequency",
    "write it under 'slaProperties', as {property: availability, value: 99.9, unit: percent}": (
        "availability uptime"
    ),
    "write it under 'slaProperties', as {property: errorRate, value: 1, unit: percent}": (
        "errorrate"
    ),
}
_HINTS = {word: meaning for meaning, words in _WORDS_OF_HINT.items() for word in words.split()}


def metric_hint(word: str) -> str:
    """Return what to write instead of another tool's metric; empty if it is not known."""
    meaning = _HINTS.get(re.sub(r"[^a-z]", "", word.lower()), "")
    return f"; {meaning}" if meaning else ""
