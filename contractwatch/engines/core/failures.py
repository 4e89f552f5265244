"""Translate library errors about broken data into messages that hold no value of the data."""

import re

import polars as pl

from contractwatch.engines.core import csv_quotes
from contractwatch.engines.core.ecma_regex import TOO_LONG
from contractwatch.engines.core.json_tree import DUPLICATE_KEY
from contractwatch.engines.remote.objects import STORE_ERROR, store_error
from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.server import DataFormat

QUERY_FAILURES = (pl.exceptions.PolarsError, pl.exceptions.PanicException)
"""All that Polars raises for a question or for data; a panic is no `Exception`."""

UNREADABLE = (*QUERY_FAILURES, OSError, UnicodeError)

TOO_MANY_FIELDS = "a row has more fields than the header"
WRONG_ENCODING = "it holds bytes that are not in the stated encoding"
NOT_AN_OBJECT = "a line is no JSON object"
TOO_DEEP = "a value is nested too deeply"
_CONTRADICTION = "a file contradicts itself, or the reader cannot cope with it"

# Parts of the library's messages that tell causes apart; the messages themselves may quote cells.
_CAUSES = (
    ("found more fields", TOO_MANY_FIELDS),
    ("csv malformed", csv_quotes.UNPAIRED_QUOTE),
    ("could not parse", csv_quotes.UNCLOSED_QUOTE),
    ("empty csv", "a file is empty: it has no header"),
    ("utf-8", WRONG_ENCODING),
    ("utf8", WRONG_ENCODING),
    ("depthlimitexceeded", TOO_DEEP),
    ("ndjson line", NOT_AN_OBJECT),
    ("parsing line", NOT_AN_OBJECT),
    ("parquet", "a file is no complete parquet file"),
    ("out of specification", "a file is no complete parquet file"),
)

_OF_TYPES = (pl.exceptions.InvalidOperationError, pl.exceptions.SchemaError)
"""What is raised for the types of columns, and never for the bytes of a file."""

_NOT_TAKEN = "a column is of a type that the reader cannot take apart"
_PLAN = "resolved plan until failure"
"""From there on a message shows the query, which names the format whatever the cause is."""

_BINARY = frozenset({DataFormat.ARROW, DataFormat.AVRO})
"""Formats with one sentence for all broken files: the messages of Polars name offsets."""


class BrokenTextError(UnicodeError):
    """Broken text in a format that we parse ourselves; its message may be shown."""


def table_error(error: BaseException, table: str, data_format: DataFormat) -> SourceError:
    """Return the SourceError of a table that cannot be read, with its blame."""
    sentence = f"table {table!r} cannot be read as {data_format.value}"
    if isinstance(error, pl.exceptions.PanicException):
        said = f"{sentence}: {_CONTRADICTION}"
        return SourceError(said, retryable=False, blame=Blame.PRODUCT)
    if isinstance(error, BrokenTextError):
        return SourceError(f"{sentence}: {error}", retryable=False, blame=Blame.PRODUCT)
    if isinstance(error, FileNotFoundError):
        return SourceError(
            f"{sentence}: a file went away while it was read", retryable=True, blame=Blame.PRODUCT
        )
    if STORE_ERROR in str(error):
        why = store_error(str(error), "")
        return SourceError(f"{sentence}: {why}", retryable=why.retryable, blame=why.blame)
    if isinstance(error, PermissionError):
        return SourceError(f"{sentence}: permission denied", retryable=False, blame=Blame.AGENT)
    is_empty = "invalid argument" in str(error).lower()  # what is said of an empty arrow file
    if isinstance(error, OSError) and not (is_empty and data_format in _BINARY):
        return SourceError(
            f"{sentence}: the operating system cannot read a file",
            retryable=True,
            blame=Blame.AMBIGUOUS,
        )
    if isinstance(error, UnicodeError):
        return SourceError(
            f"{sentence}: {WRONG_ENCODING}",
            retryable=False,
            blame=Blame.PRODUCT,
        )
    cause = _duplicate_name(str(error)) or _cause(error, data_format)
    return SourceError(f"{sentence}: {cause}", retryable=False, blame=Blame.PRODUCT)


def query_failure_reason(error: BaseException) -> str:
    """Return why a query failed, without a value of the data."""
    if TOO_LONG in str(error):
        return TOO_LONG
    if "regex" in str(error).lower():
        return "the pattern cannot be run by the engine"
    return "the question does not fit the type of the column"


def _duplicate_name(said: str) -> str:
    """Return the name that occurs twice, if Polars failed for that."""
    column = re.search(r"column with name '(.*)' has more than one occurrence", said, re.DOTALL)
    if column is not None:
        return f"it has two columns named {column[1]!r}; give each a name of its own"
    key = re.search(rf"\(({DUPLICATE_KEY} .*?)\)", said, re.DOTALL)
    return key[1] if key is not None else ""


def _cause(error: BaseException, data_format: DataFormat) -> str:
    said = str(error).lower().partition(_PLAN)[0]
    known = next((cause for part, cause in _CAUSES if part in said), "")
    if isinstance(error, _OF_TYPES) and not known:
        return _NOT_TAKEN
    if data_format in _BINARY:
        return f"a file is no complete {data_format.value} file"
    return known or "it holds what the reader does not expect there"
