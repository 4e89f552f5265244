"""Tell what a key of a contract is about, by whatever name and spelling."""

import difflib
import re

_MIN_SIMILARITY = 0.8
_MAX_LENGTH = 40

SERVER_KEYS = ("server", "type", "environment", "path", "location", "format", "delimiter")
READ_POLICY_KEYS = (
    *("separator", "sep", "quote", "quoteChar", "escape", "encoding", "header", "hasHeader"),
    *("nullValues", "decimal", "thousands", "timezone", "compression", "endpointUrl"),
    *("skipRows", "comment", "sheet", "hivePartitioning", "typeMode", "dateFormat"),
)
ROW_FILTER_KEYS = (
    *("where", "filter", "filters", "condition", "scope", "predicate", "rowFilter", "partition"),
    *("only", "limit", "select", "exclude", "include", "rows", "when", "subset"),
)
TABLE_IDENTITY_KEYS = (
    "name",
    "physicalName",
    "physicalType",
    "tableName",
    "object",
    *ROW_FILTER_KEYS,
)
COLUMN_LIST_KEYS = ("properties", "columns", "fields")
COLUMN_IDENTITY_KEYS = (
    *("name", "physicalName", "columnName", "encryptedName", "semanticType"),
    *("where", "filter", "condition"),
)
COLUMN_TYPE_KEYS = (
    *("logicalType", "logicalTypeOptions", "type", "dataType", "options", "format", "dateFormat"),
    *("timezone", "defaultTimezone"),
)
ROW_PROMISE_KEYS = (
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
PRIMARY_KEY_KEYS = ("primaryKey", "isPrimaryKey", "primaryKeys", "pk", "primary")
PARSING_KEYS = ("format", "timezone", "defaultTimezone", "dateFormat", "pattern_format")


def letters_of(word: str) -> str:
    """Return the letters of a key in lower case."""
    return re.sub(r"[^a-z]", "", word.lower())


def is_similar(word: str, known: tuple[str, ...]) -> bool:
    """Return whether a key is one of these, or nearly spelt like one."""
    letters = letters_of(word)
    meant = [name for name in map(letters_of, known) if name]
    if not letters or len(letters) > _MAX_LENGTH:
        return False
    return letters in meant or bool(
        difflib.get_close_matches(letters, meant, n=1, cutoff=_MIN_SIMILARITY)
    )
