"""Tell what a key of a contract is about, by whatever name and spelling."""

import difflib
import re

_LIKE = 0.8
_LONGEST = 40

OF_SERVER = ("server", "type", "environment", "path", "location", "format", "delimiter")
READING = (
    *("separator", "sep", "quote", "quoteChar", "escape", "encoding", "header", "hasHeader"),
    *("nullValues", "decimal", "thousands", "timezone", "compression", "endpointUrl"),
    *("skipRows", "comment", "sheet", "hivePartitioning", "typeMode", "dateFormat"),
)
RESTRICTING = (
    *("where", "filter", "filters", "condition", "scope", "predicate", "rowFilter", "partition"),
    *("only", "limit", "select", "exclude", "include", "rows", "when", "subset"),
)
TABLE_IS = ("name", "physicalName", "physicalType", "tableName", "object", *RESTRICTING)
TABLE_HOLDS = ("properties", "columns", "fields")
COLUMN_IS = (
    *("name", "physicalName", "columnName", "encryptedName", "semanticType"),
    *("where", "filter", "condition"),
)
COLUMN_MEANS = (
    *("logicalType", "logicalTypeOptions", "type", "dataType", "options", "format", "dateFormat"),
    *("timezone", "defaultTimezone"),
)
OF_ROWS = (
    *(
        "required",
        "unique",
        "enum",
        "quality",
        "logicalType",
        "logicalTypeOptions",
        "relationships",
    ),
    *("name", "physicalName", "properties", "items", "map", "customProperties", "semanticType"),
)
KEYS = ("primaryKey", "isPrimaryKey", "primaryKeys", "pk", "primary")
PARSING = ("format", "timezone", "defaultTimezone", "dateFormat", "pattern_format")


def plain(word: str) -> str:
    """Return the letters of a key, whatever its case."""
    return re.sub(r"[^a-z]", "", word.lower())


def is_like(word: str, known: tuple[str, ...]) -> bool:
    """Whether a key may be meant as one of these: it is one, or nearly."""
    letters = plain(word)
    meant = [name for name in map(plain, known) if name]
    if not letters or len(letters) > _LONGEST:
        return False
    return letters in meant or bool(difflib.get_close_matches(letters, meant, n=1, cutoff=_LIKE))
