"""Parse spellings of a column's type in SQL, Spark, Arrow or Avro into allowed types of files.

A spelling allows words: kinds of column types (`integer`, `timestamp`), or exact types as Arrow
names them (`int32`). Where one word means different types in different systems, all of them are
allowed; where a format has no type as narrow as the one that is meant, so is the next wider one.
"""

from collections.abc import Iterable, Mapping

from contractwatch.model.base.path import ArrayItem, StructField
from contractwatch.model.measure.state import ColumnType

AWARE, NAIVE = "timestamp with a time zone", "timestamp without a time zone"

_OPENING, _CLOSING = "(<[{", ")>]}"
_MOST_DIGITS = 38
_ENDS = (" not null", " null", " nullable")
_KEY, _VALUE = (ArrayItem(), StructField("key")), (ArrayItem(), StructField("value"))

_TEXT = (
    "string str text utf8 large_string large_utf8 string_view utf8view char varchar nchar nvarchar"
    " varchar2 nvarchar2 character bpchar tinytext mediumtext longtext ntext clob nclob dbclob"
    " citext name sysname xml enum categorical dictionary json jsonb"
)
_BINARY = (
    "binary varbinary large_binary binary_view fixed_size_binary fixed_len_byte_array fixed bytes"
    " blob tinyblob mediumblob longblob bytea raw image"
)
_ALLOWED: Mapping[str, Iterable[str]] = {
    _TEXT: ["string"],
    "uuid guid uniqueidentifier": ["string", "binary"],
    _BINARY: ["binary"],
    "byte_array": ["string", "binary"],
    "boolean bool logical": ["boolean"],
    "tinyint byte": ["int8", "uint8", "int16", "int32"],
    "smallint short int2 int16 smallserial": ["int16", "int32"],
    "int int4 int32 mediumint serial": ["int32"],
    "integer": ["int32", "int64"],
    "bigint long int64 bigserial": ["int64"],
    "int8": ["int8", "int64"],  # of Postgres 8 bytes, of all others 8 bits
    "hugeint int128": ["int128"],
    "uhugeint uint128": ["uint128"],
    "uint8 utinyint": ["uint8", "int16", "int32"],
    "uint16 usmallint": ["uint16", "int32"],
    "uint32 uinteger uint": ["uint32", "int64"],
    "uint64 ubigint": ["uint64", "decimal(20, 0)"],
    "float real": ["float32", "float64"],
    "float4 float32 binary_float": ["float32"],
    "double float8 float64 binary_double": ["float64"],
    "float16 half halffloat half_float": ["float16"],
    "bignumeric bigdecimal money smallmoney": ["decimal"],
    "date32": ["date"],
    "date date64": ["date"],
    "time timetz time32 time64": ["time"],
    "timestamp datetime timestamp_millis timestamp_micros timestamp_nanos": ["timestamp"],
    "timestamp_s timestamp_ms timestamp_us timestamp_ns int96": ["timestamp"],
    "timestamptz timestamp_tz timestamp_ltz timestamptz_ns datetimeoffset": [AWARE],
    "timestamp_ntz timestampntz datetime2 smalldatetime": [NAIVE],
    "struct record row object": ["object"],
    "array list large_list fixed_size_list repeated vector": ["array"],
    "map": ["map"],
}
_WORDS: Mapping[str, frozenset[str]] = {
    word: frozenset(allowed) for words, allowed in _ALLOWED.items() for word in words.split()
} | {
    "character varying": frozenset({"string"}),
    "char varying": frozenset({"string"}),
    "national character": frozenset({"string"}),
    "national character varying": frozenset({"string"}),
    "long raw": frozenset({"binary"}),
    "binary varying": frozenset({"binary"}),
    "double precision": frozenset({"float64"}),
    "time with time zone": frozenset({"time"}),
    "time without time zone": frozenset({"time"}),
    "time-millis": frozenset({"time"}),
    "time-micros": frozenset({"time"}),
    "timestamp with time zone": frozenset({AWARE}),
    "timestamp with local time zone": frozenset({AWARE}),
    "timestamp without time zone": frozenset({NAIVE}),
    "timestamp-millis": frozenset({"timestamp"}),
    "timestamp-micros": frozenset({"timestamp"}),
    "local-timestamp-millis": frozenset({NAIVE}),
    "local-timestamp-micros": frozenset({NAIVE}),
}
_UNSIGNED = {
    "tinyint": "uint8",
    "smallint": "uint16",
    "int": "uint32",
    "integer": "uint32",
    "bigint": "uint64",
}
_DECIMALS = frozenset({"decimal", "numeric", "dec", "number", "decimal128", "decimal256"})
_FAMILIES = {"int": "integer", "uint": "integer", "float": "float", "decimal(": "decimal"}
_NUMBERS = frozenset({"integer", "decimal", "float"})


def allowed_types(spelling: str) -> frozenset[str]:
    """Return the types that a spelling allows; none if it is not known."""
    name, arguments = _split_arguments(" ".join(spelling.lower().split()))
    if name in _DECIMALS:
        return _decimal_types(name, arguments)
    if name == "[]":
        return frozenset({"array"})
    if (name, arguments) in {("bit", ""), ("bit", "1")}:
        return frozenset({"boolean"})
    if (name, arguments) == ("tinyint", "1"):
        return _WORDS["tinyint"] | {"boolean"}
    if name in {"timestamp", "datetime"} and "z" in arguments:  # Arrow: `[us, tz=UTC]`
        return frozenset({NAIVE if "=none" in arguments.partition("z")[2] else AWARE})
    signed = name.removesuffix(" unsigned").removeprefix("unsigned ")
    return _WORDS.get(_UNSIGNED.get(signed, name) if signed != name else name, frozenset())


def is_allowed(found: ColumnType, words: frozenset[str], *, by_family: bool) -> bool:
    """Return whether a column's type is one of the allowed ones.

    Args:
        found: The column, as a file has it.
        words: What is allowed.
        by_family: Whether widths, zones and digits do not matter, nor how numbers are held.
    """
    known = _types_of_column(found)
    if known & words:
        return True
    families = {_family(word) for word in words}
    if by_family:
        families |= _NUMBERS if families & _NUMBERS else frozenset()
    return by_family and bool(known & families)


def _types_of_column(found: ColumnType) -> frozenset[str]:
    words = {found.kind, found.exact or found.physical}
    if found.kind == "timestamp":
        words.add(AWARE if found.timezone_aware else NAIVE)
    if found.exact == "uuid":
        words.add("binary")  # as which it is stored
    if found.follow(_KEY) and found.follow(_VALUE):
        words.add("map")
    return frozenset(words)


def _family(word: str) -> str:
    if word in {AWARE, NAIVE}:
        return "timestamp"
    return next((kind for start, kind in _FAMILIES.items() if word.startswith(start)), word)


def _split_arguments(spelling: str) -> tuple[str, str]:
    """Split a spelling into the type's name, with the words after its arguments, and these."""
    for end in _ENDS:
        spelling = spelling.removesuffix(end)
    if spelling.endswith("[]"):
        return "[]", ""  # `varchar(9)[]`
    start = min((at for mark in _OPENING if (at := spelling.find(mark)) >= 0), default=-1)
    if start < 0:
        return spelling, ""
    end = max(spelling.rfind(mark) for mark in _CLOSING)
    name, arguments = spelling[:start].strip(), spelling[start + 1 : max(start + 1, end)].strip()
    if spelling[start] == "[" and arguments.isdecimal() and name not in _BINARY.split():
        return "[]", ""  # `integer[3]`
    return f"{name} {spelling[end + 1 :].strip()}".strip(), arguments


def _decimal_types(name: str, arguments: str) -> frozenset[str]:
    """Return the types allowed for decimals; without a scale whole numbers are, too."""
    written = [part.partition("=")[2] or part for part in arguments.replace(" ", "").split(",")]
    digits = [int(part) for part in written if part.isdecimal() and part.isascii()]
    if not digits or len(digits) < len(written) or digits[0] > _MOST_DIGITS:
        loose = {"decimal", "integer"}
        return frozenset(loose | {"float"} if name == "number" else loose)
    precision, scale = digits[0], (*digits, 0)[1]
    exact = f"decimal({precision}, {scale})"
    return frozenset({exact} if scale else {exact, "integer"})
