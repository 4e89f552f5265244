"""Guard SQL of a contract: parse it, check it against an allow-list, and write it anew.

A query can read the tables of its contract and do nothing else. What runs is never the text itself
but what was written from the parsed expression, so no second parser can read it differently.
"""

import logging
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import sqlglot
from sqlglot import exp
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token, TokenType

from contractwatch.model.base.path import struct_fields
from contractwatch.model.contract.contract import Column, Table
from contractwatch.odcs.sql.dialects import DEFAULT_DIALECT
from contractwatch.odcs.sql.sql_allow_list import (
    BOOLEAN_NODES,
    CATALOG_PREFIXES,
    CONSTRUCT_NAMES,
    FORBIDDEN_IN_CONDITIONS,
    FORBIDDEN_IN_DATABASES,
    FORBIDDEN_NODES,
    OTHER_NAMES,
    QUERY_FUNCTIONS,
    QUERY_NODES,
    ROW_FUNCTIONS,
    ROW_NODES,
    WRITE_NODES,
)
from contractwatch.odcs.sql.sql_errors import (
    InvalidSqlError,
    UnsafeSqlError,
    UnsupportedSqlError,
    truncated,
)
from contractwatch.odcs.sql.sql_writer import (
    function_name,
    name_as_written,
    to_database_sql,
    to_duckdb_sql,
    to_polars_sql,
    unsupported_function_message,
)
from contractwatch.odcs.yaml.node import suggestion

_CONDITION_DIALECT = "postgres"
_MAX_LENGTH = 20_000
_MAX_DEPTH = 80
_MAX_TYPE_DEPTH = 6
_MAX_JOINS = 10
_MAX_SELECTS = 20
_MAX_PAD_WIDTH = 1_000
_SPACE = frozenset("\t\r\n")
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cs", "Cn"})
_OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET)
_CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET)
_UNSAFE_PREFIXES = (
    "read_",
    "scan_",
    "glob",
    "copy",
    "pg_",
    "lo_",
    "http",
    "query",
    "getenv",
    "system",
)


@dataclass(frozen=True, slots=True)
class GuardedQuery:
    """A guarded SELECT, and the contract names of the tables that it reads."""

    text: str
    tables: tuple[str, ...]


def guard_query(text: str, tables: Sequence[Table], dialect: str = "") -> GuardedQuery:
    """Return the query of a rule as SQL of DuckDB, checked to read none but these tables.

    Args:
        text: The query as written in the contract.
        tables: All tables of the contract.
        dialect: The dialect that it is written in; empty for DuckDB's.

    Raises:
        UnsupportedSqlError: If it is too large, or uses other tables, functions or syntax.
        InvalidSqlError: If it is anything else, or would read a file or change something.
    """
    root = _parse_query(text, dialect)
    while isinstance(root, exp.Subquery) and not root.args.get("alias"):
        root = root.this
    if not isinstance(root, exp.Select | exp.SetOperation):
        raise UnsafeSqlError("the query is no SELECT; expected one SELECT, or WITH ... SELECT")
    if not root.selects:
        raise InvalidSqlError("the query selects nothing; expected one value")
    _rename_functions(root)
    for node in root.walk():
        _check(node, QUERY_NODES, "a query of a contract", FORBIDDEN_NODES)
    _check_words(root, text)
    _check_size(root, text)
    read = _bind_tables(root, tables)
    tables = [table for table in tables if table.name in read]
    _bind_columns(root, tables)
    _refuse_ambiguous_names(root, tables)
    written = to_duckdb_sql(root, text)
    _check_written(root, written)
    return GuardedQuery(written, tuple(dict.fromkeys(read)))


@dataclass(frozen=True, slots=True)
class DatabaseQuery:
    """A guarded SELECT of a database, whose tables have their contract names, and these."""

    root: exp.Expr
    tables: tuple[str, ...]


def guard_database_query(
    text: str, tables: Sequence[Table], dialect: str, *, written_in: str = ""
) -> DatabaseQuery:
    """Return the query of a rule that a database runs, checked to read none but these tables.

    Columns need not be listed in the contract.

    Args:
        text: The query as written in the contract.
        tables: All tables of the contract.
        dialect: The database's dialect, by its name in the parser.
        written_in: The dialect that the query is written in; empty for the database's own.

    Raises:
        UnsupportedSqlError: If it is too large, or uses other tables, functions or syntax.
        InvalidSqlError: If it is anything else, or would read or change something else.
    """
    root = _parse(text, "query", written_in or dialect)
    while isinstance(root, exp.Subquery) and not root.args.get("alias"):
        root = root.this
    if not isinstance(root, exp.Select | exp.SetOperation):
        raise UnsafeSqlError("the query is no SELECT; expected one SELECT, or WITH ... SELECT")
    if not root.selects:
        raise InvalidSqlError("the query selects nothing; expected one value")
    for node in root.walk():
        _check(node, QUERY_NODES, "a query of a contract", FORBIDDEN_IN_DATABASES)
        if isinstance(node, exp.Var) and not node.name.isidentifier():
            raise UnsafeSqlError(f"found '{truncated(node.name)}' where a word is expected")
    _check_size(root, text)
    read = _bind_tables(root, tables, keeps_quotes=True)
    _check_written(root, to_database_sql(root, dialect), dialect)
    return DatabaseQuery(root, tuple(dict.fromkeys(read)))


def _check_written(root: exp.Expr, written: str, dialect: str = DEFAULT_DIALECT) -> None:
    """Refuse SQL that says more than what was understood: other tables, or more queries.

    Whatever part of a tree were written without quotes, it could not add a table unseen.
    """
    try:
        again = sqlglot.parse_one(written, dialect=dialect)
    except SqlglotError:
        raise UnsupportedSqlError("the SQL cannot be written for the engine") from None
    if _shape(again) != _shape(root):
        raise UnsafeSqlError("the query holds SQL in the place of a name; expected a plain name")


def _shape(root: exp.Expr) -> tuple[list[str], int]:
    tables = sorted(".".join(part.name for part in one.parts) for one in root.find_all(exp.Table))
    return tables, sum(1 for _ in root.find_all(exp.Select))


def guard_predicate(text: str, table: Table) -> str:
    """Return a checked condition on the rows of one table, with physical column names.

    Raises:
        InvalidSqlError: If it is no single condition over the columns of the table.
    """
    root = _parse(text, "condition", _CONDITION_DIALECT)
    if not isinstance(root.unnest(), BOOLEAN_NODES):
        message = "the condition is not true or false for a row; expected such as status <> 'x'"
        raise InvalidSqlError(message)
    for node in root.walk():
        if isinstance(node, exp.Func) and not isinstance(node, (*ROW_FUNCTIONS, *ROW_NODES)):
            _refuse_unsafe_function(node, "a condition")
            name = truncated(name_as_written(node, text))
            raise InvalidSqlError(f"the function '{name}' is not allowed in a condition")
        _check(node, (*ROW_NODES, *ROW_FUNCTIONS), "a condition on rows", FORBIDDEN_IN_CONDITIONS)
    _check_words(root, text)
    for column in root.find_all(exp.Column):
        _bind_to_table(column, table)
    root = root.transform(_as_try_cast)
    return to_polars_sql(root, text)


def _parse_query(text: str, dialect: str) -> exp.Expr:
    """Parse a query; one without a dialect may hold what only PostgreSQL writes, such as `~*`."""
    if dialect:
        return _parse(text, "query", dialect)
    try:
        return _parse(text, "query", DEFAULT_DIALECT)
    except UnsupportedSqlError as error:
        try:
            return _parse(text, "query", "postgres")
        except UnsupportedSqlError:
            raise error from None


def _parse(text: str, what: str, dialect: str) -> exp.Expr:
    _check_text(text, what)
    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it would quote the contract
    too_deep = f"the {what} is nested too deeply; expected at most {_MAX_DEPTH} levels"
    try:
        if _type_depth(sqlglot.tokenize(text, dialect=dialect), dialect) > _MAX_TYPE_DEPTH:
            expected = f"expected at most {_MAX_TYPE_DEPTH} levels"
            raise UnsupportedSqlError(f"types are nested too deeply in the {what}; {expected}")
        parsed = sqlglot.parse(text, dialect=dialect)
    except SqlglotError:
        raise UnsupportedSqlError(
            f"the {what} is not understood as SQL; expected one {what}"
        ) from None
    except RecursionError:
        raise UnsupportedSqlError(too_deep) from None
    # the parser returns a comment after the last semicolon as a statement
    found = [one for one in parsed if one is not None and not isinstance(one, exp.Semicolon)]
    if not found and not text.strip(" \t\r\n;"):  # a mistake, and no attack
        raise UnsupportedSqlError(f"there is no SQL in it; expected one {what}")
    if len(found) != 1:
        raise UnsafeSqlError(f"{len(found)} statements instead of one; expected one {what}")
    root = found[0]
    if _depth(root) > _MAX_DEPTH:
        raise UnsupportedSqlError(too_deep)
    return root


def _check_text(text: str, what: str) -> None:
    """Refuse text that is too large to parse, or has invisible characters."""
    if len(text) > _MAX_LENGTH:
        raise UnsupportedSqlError(
            f"the {what} is longer than {_MAX_LENGTH:,} characters; expected less"
        )
    visible = (c for c in text if c not in _SPACE)
    hidden = next((c for c in visible if unicodedata.category(c) in _INVISIBLE), "")
    if hidden:
        code = f"U+{ord(hidden):04X}"
        raise InvalidSqlError(f"the {what} holds the invisible character {code}; expected none")
    if _parenthesis_depth(text) > _MAX_DEPTH:
        too_deep = f"the {what} is nested too deeply; expected at most {_MAX_DEPTH} levels"
        raise UnsupportedSqlError(too_deep)


def _parenthesis_depth(text: str) -> int:
    deepest = depth = 0
    for character in text:
        depth += (character in "([{") - (character in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _type_depth(tokens: Iterable[Token], dialect: str) -> int:
    """Return how deeply types with brackets are nested, as in `STRUCT(DECIMAL(1))`.

    The parser reads each as a type and as a call, which doubles its time with every level.
    """
    types = Dialect.get_or_raise(dialect).parser_class.TYPE_TOKENS
    opened: list[bool] = []
    deepest, before = 0, None
    for token in tokens:
        if token.token_type in _OPENING:
            opened.append(before in types)
            deepest = max(deepest, sum(opened))
        elif token.token_type in _CLOSING and opened:
            opened.pop()
        before = token.token_type
    return deepest


def _depth(root: exp.Expr) -> int:
    deepest, waiting = 0, [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        waiting.extend((child, depth + 1) for child in node.iter_expressions())
    return deepest


def _check(
    node: exp.Expr,
    allowed: tuple[type[exp.Expr], ...],
    where: str,
    forbidden: tuple[type[exp.Expr], ...],
) -> None:
    """Refuse any node that is not in the allow-list."""
    if isinstance(node, exp.Table) and not isinstance(node.this, exp.Identifier):
        _refuse_unsafe_function(node.this, where)
        raise UnsupportedSqlError(
            "found a function where a table is expected; expected a table name"
        )
    _refuse_unsafe_function(node, where)
    if isinstance(node, WRITE_NODES):
        raise UnsafeSqlError(f"{node.key.upper()} is not allowed in {where}")
    if not isinstance(node, allowed) or isinstance(node, forbidden):
        construct = CONSTRUCT_NAMES.get(node.key, node.key.upper())
        raise UnsupportedSqlError(f"{construct} is not allowed in {where}")
    if isinstance(node, exp.DataType) and not _is_known_type(node):
        raise UnsupportedSqlError("a type is not known; expected such as INTEGER or DECIMAL(10, 2)")
    if isinstance(node, exp.WindowSpec) and node.args.get("exclude"):
        raise UnsupportedSqlError("EXCLUDE is not allowed in a window; expected OVER without it")
    if isinstance(node, exp.Lateral) and not isinstance(node.this, exp.Subquery | exp.Unnest):
        raise UnsupportedSqlError(
            "LATERAL of a function is not allowed; expected LATERAL (SELECT ...)"
        )
    if isinstance(node, exp.With) and node.args.get("recursive"):
        raise UnsupportedSqlError("WITH RECURSIVE is not allowed; expected a plain WITH")


def _rename_functions(root: exp.Expr) -> None:
    """Call functions that DuckDB has under another name by it."""
    for node in list(root.find_all(exp.Anonymous, exp.Normalize)):
        name = function_name(node).upper()
        if name == "LOG1P" and len(node.expressions) == 1:
            one = exp.Add(
                this=exp.Literal.number(1), expression=exp.Paren(this=node.expressions[0])
            )
            node.replace(exp.Ln(this=one))
        elif isinstance(node, exp.Normalize) and not node.args.get("form"):
            node.replace(exp.Anonymous(this=OTHER_NAMES[name], expressions=[node.this]))
        elif isinstance(node, exp.Anonymous) and name in OTHER_NAMES:
            node.set("this", OTHER_NAMES[name])


def _check_words(root: exp.Expr, text: str) -> None:
    """Refuse bare words that are no identifiers, and functions that are not allowed.

    A quoted name instead of a unit, as in `EXTRACT("day) FROM x --" FROM y)`, would be SQL.
    """
    for node in root.find_all(exp.Var, exp.Anonymous):
        if isinstance(node, exp.Anonymous):
            if node.name.upper() not in QUERY_FUNCTIONS:
                raise UnsupportedSqlError(unsupported_function_message(name_as_written(node, text)))
        elif not node.name.isidentifier():
            raise UnsafeSqlError(f"found '{truncated(node.name)}' where a word is expected")


def _is_known_type(node: exp.DataType) -> bool:
    """Return whether a type is one of SQL; another name would be written without its quotes."""
    return (
        isinstance(node.this, exp.DataType.Type)
        and node.this is not exp.DataType.Type.USERDEFINED
        and not node.args.get("kind")
    )


def _refuse_unsafe_function(node: object, where: str) -> None:
    if isinstance(node, exp.Func):
        name = function_name(node)
        if name.startswith(_UNSAFE_PREFIXES):
            raise UnsafeSqlError(f"the function '{truncated(name)}' is not allowed in {where}")


def _check_size(root: exp.Expr, text: str) -> None:
    counts = (
        (exp.Join, _MAX_JOINS, "joins"),
        (exp.Select, _MAX_SELECTS, "SELECTs"),
    )
    for kind, most, noun in counts:
        found = sum(1 for _ in root.find_all(kind))
        if found > most:
            raise UnsupportedSqlError(f"the query has {found} {noun}; expected at most {most}")
    for pad in root.find_all(exp.Pad):  # a few letters could make a text of a gigabyte
        width = pad.args["expression"]
        if not (
            isinstance(width, exp.Literal) and width.is_int and int(width.name) <= _MAX_PAD_WIDTH
        ):
            expected = f"expected a number of at most {_MAX_PAD_WIDTH:,}"
            raise UnsupportedSqlError(
                f"the width of '{name_as_written(pad, text)}' is not known; {expected}"
            )


def _bind_tables(
    root: exp.Expr, tables: Sequence[Table], *, keeps_quotes: bool = False
) -> list[str]:
    """Replace each table by its contract name, keep its alias, and return the tables read.

    Aliases are quoted, unless a name that is written without quotes is to stay so.
    """
    local = _names_of_with(root, tables)
    read: list[str] = []
    for node in list(root.find_all(exp.Table)):
        name = ".".join(part.name for part in node.parts)
        spellings = local.get(name.lower()) if len(node.parts) == 1 else None
        if spellings is not None:
            if not keeps_quotes:
                node.set("this", exp.to_identifier(next(iter(spellings)), quoted=True))
            continue
        table = _table_named(name, tables)
        if table is None:
            raise UnsupportedSqlError(_no_table(name, tables))
        read.append(table.name)
        if node.alias_column_names:
            name = truncated(node.alias)
            message = f"'{name}' has names for the columns of a table; expected FROM table AS t"
            raise UnsupportedSqlError(message)
        alias = node.alias or node.name
        bare = exp.Table(this=exp.to_identifier(table.name, quoted=True))
        joins = node.args.get("joins")
        if joins:
            bare.set("joins", joins)
        named = node.args["alias"].this if node.alias else node.this
        is_quoted = not keeps_quotes or bool(named.args.get("quoted"))
        bare.set("alias", exp.TableAlias(this=exp.to_identifier(alias, quoted=is_quoted)))
        node.replace(bare)
    return read


def _names_of_with(root: exp.Expr, tables: Sequence[Table]) -> dict[str, set[str]]:
    """Return the names that WITH gives, by their lower-case form; refuse those of other tables."""
    local = _by_lower_all(cte.alias for cte in root.find_all(exp.CTE))
    known = {name.lower() for table in tables for name in (table.name, table.physical_name)}
    unclear = next((sorted(same) for same in local.values() if len(same) > 1), None)
    if unclear:
        first, second = map(truncated, unclear[:2])
        told = f"'{first}' and '{second}' in WITH differ in case alone; expected other names"
        raise UnsupportedSqlError(told)
    for name in local:  # outside its own query such a name would be one of the engine's own tables
        if name.startswith(CATALOG_PREFIXES):
            raise UnsafeSqlError(f"'{truncated(name)}' is a name of the engine; expected another")
    shadowed = sorted(local.keys() & known)
    if shadowed:
        raise UnsupportedSqlError(
            f"'{truncated(shadowed[0])}' is a table; expected another name in WITH"
        )
    return local


def _no_table(written: str, tables: Iterable[Table]) -> str:
    names = [table.physical_name for table in tables]
    listed = f"expected one of {', '.join(map(truncated, names[:8]))}"
    return f"the contract has no table '{truncated(written)}'; {listed}{suggestion(written, names)}"


def _table_named(written: str, tables: Iterable[Table]) -> Table | None:
    named = [(table, name) for table in tables for name in (table.physical_name, table.name)]
    exact = next((table for table, name in named if name == written), None)
    alike = next((table for table, name in named if name.lower() == written.lower()), None)
    return exact or alike


def _bind_columns(root: exp.Expr, tables: Iterable[Table]) -> None:
    """Spell unquoted names as their tables and columns do, as SQL ignores their case."""
    names = [column.physical_name for table in tables for column in table.columns]
    made = [alias.alias for alias in root.find_all(exp.Alias)]
    listed = (name.name for alias in root.find_all(exp.TableAlias) for name in alias.columns)
    columns = _by_lower(chain(made, listed, names))
    qualifiers = _by_lower(alias.name for alias in root.find_all(exp.TableAlias))
    for column in root.find_all(exp.Column):
        for part, spelling in (("this", columns), ("table", qualifiers)):
            identifier = column.args.get(part)
            if isinstance(identifier, exp.Identifier) and not identifier.quoted:
                identifier.set("this", spelling.get(identifier.name.lower(), identifier.name))


def _refuse_ambiguous_names(root: exp.Expr, tables: Iterable[Table]) -> None:
    """Refuse `a.b` if `a` is a table of the query and also an object with the member `b`."""
    named = chain(root.find_all(exp.Table), root.find_all(exp.Subquery), root.find_all(exp.CTE))
    qualifiers = {one.alias_or_name.lower() for one in named}
    members = {
        (column.physical_name.lower(), step.name.lower())
        for table in tables
        for column in table.columns
        for inner in column.nested
        for step in struct_fields(inner.path[:1])
    }
    for column in root.find_all(exp.Column):
        first, *rest = (part.name for part in column.parts)
        is_double = rest and (first.lower(), rest[0].lower()) in members
        if is_double and first.lower() in qualifiers:
            name = truncated(first)
            message = f"'{name}' is a table and an object column; expected FROM {{object}} AS t"
            raise InvalidSqlError(f"{message}, where t is another name")


def _by_lower(names: Iterable[str]) -> dict[str, str]:
    """Return the names by their lower-case form, without those that differ in case alone."""
    found = _by_lower_all(names)
    return {lower: next(iter(same)) for lower, same in found.items() if len(same) == 1}


def _by_lower_all(names: Iterable[str]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for name in names:
        found.setdefault(name.lower(), set()).add(name)
    return found


def _bind_to_table(column: exp.Column, table: Table) -> None:
    qualifier = column.table
    if column.args.get("db") or (
        qualifier and qualifier.lower() not in {table.name.lower(), table.physical_name.lower()}
    ):
        raise InvalidSqlError(
            f"the condition is on table '{table.name}'; expected its columns only"
        )
    declared = table.column(column.name) or next(_matching_columns(column.name, table), None)
    if declared is None:
        names = [one.name for one in table.columns]
        hint = suggestion(column.name, names)
        raise InvalidSqlError(
            f"table '{table.name}' has no column '{truncated(column.name)}'{hint}"
        )
    column.set("table", None)
    column.set("this", exp.to_identifier(declared.physical_name, quoted=True))


def _matching_columns(written: str, table: Table) -> Iterator[Column]:
    return (
        column
        for column in table.columns
        if written.lower() in {column.name.lower(), column.physical_name.lower()}
    )


def _as_try_cast(node: exp.Expr) -> exp.Expr:
    """Return a cast as TRY_CAST, others as they are.

    A cell that cannot be cast becomes null, so that it does not end the scan of all rules.
    """
    if isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast):
        return exp.TryCast(this=node.this, to=node.to)
    return node
