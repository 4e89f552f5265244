"""SQL rules: the query as written, the metric that runs it, and its value."""

import hashlib
from dataclasses import dataclass
from typing import TypeAlias

from contractwatch.model.base.clause import Clause, Dimension, Severity
from contractwatch.model.promises.rule import Threshold


@dataclass(frozen=True, slots=True)
class ExactAnswer:
    """Expected answer of a query: that text or truth; with `negated` any other text."""

    value: str | bool
    negated: bool = False


AnswerLimit: TypeAlias = Threshold | ExactAnswer
"""What an answer is compared with: a number with a number, else by equality."""


@dataclass(frozen=True, slots=True)
class SqlRule:
    """Quality rule of type `sql`.

    `query` is one guarded SELECT, or the text as written while it holds variables, which are
    resolved and guarded when it runs. `tables` are the contract names of those that it reads; all
    of the contract while that is not known. `column` is set for a rule that stands at a column.
    `dialect` is the one that the rule names, empty if it names none. `written` is the query as the
    contract has it, with its placeholders filled, for databases, which run it in their own dialect.
    """

    clause: Clause
    rule_id: str
    query: str
    tables: tuple[str, ...]
    limit: AnswerLimit
    severity: Severity
    column: str | None = None
    dimension: Dimension | None = None
    description: str = ""
    dialect: str = ""
    written: str = ""


@dataclass(frozen=True, slots=True)
class SqlScalar:
    """What is the one value that the query returns? A plan of its own, after the shared pass.

    `table` is the one whose rule it is, `tables` are all that it reads. `dialect` is the one that
    the rule names: it says how a query with variables is read, and whether integers divide to one.
    """

    table: str
    query: str
    tables: tuple[str, ...]
    dialect: str = ""
    written: str = ""


@dataclass(frozen=True, slots=True)
class QueryValue:
    """Single value that a query returned.

    A text is data: of it only the SHA-256 is kept, in `text_digest`, and `value` is None. It has no
    `+`: answers over parts of the data are not the answer over all.
    """

    value: int | float | bool | None = None
    text_digest: str = ""


def text_digest(text: str) -> str:
    """Return the SHA-256 that stands for a text which a query returned or is compared with."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
