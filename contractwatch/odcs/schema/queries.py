"""Read the quality rules in SQL, once all tables are known, and guard each query."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from contractwatch.model.base.connection import DATABASE_KINDS, SQL_DIALECTS
from contractwatch.model.contract.contract import Table
from contractwatch.model.promises.kinds import OBJECTIVE_OF_DIMENSION
from contractwatch.model.promises.rule import Operator
from contractwatch.model.promises.sql import AnswerLimit, ExactAnswer, SqlRule
from contractwatch.odcs.jsonschema.schema import OPERATORS
from contractwatch.odcs.rules.baselines import ROW_COUNT_ONLY
from contractwatch.odcs.rules.rules import SQL, read_threshold, rule_id_of
from contractwatch.odcs.schema.nested import SchemaField, walk_fields
from contractwatch.odcs.sql.dialects import (
    DEFAULT_DIALECT,
    DIALECTS,
    dialect_named,
    name_quote,
)
from contractwatch.odcs.values.promises import (
    dimension_of,
    promised,
    severity_of,
)
from contractwatch.odcs.values.variables import has_column_placeholder, has_variables
from contractwatch.odcs.yaml.node import Findings, Promised, YamlNode


@dataclass(frozen=True, slots=True)
class _Unsupported:
    """The reason why a query that may run on another engine is skipped."""

    why: str


_EQUALITIES = frozenset({Operator.EQUAL, Operator.NOT_EQUAL})


def with_queries(
    nodes: Sequence[YamlNode], tables: Sequence[Table], findings: Findings
) -> tuple[Table, ...]:
    """Return the tables with their SQL rules; `nodes` are those of the tables, in order."""
    return tuple(
        replace(table, queries=tuple(_read_queries(node, table, tables, findings)))
        for node, table in zip(nodes, tables, strict=True)
    )


def read_where(node: YamlNode, table: Table, findings: Findings) -> str:
    """Read `contractwatch.where`, the guarded condition on a table's rows; empty if none."""
    condition = node.extension("where")
    if condition is None or not isinstance(condition.value, str):
        return ""
    if has_variables(condition.value):
        return condition.value
    # Imported here because the parser takes a third of a second that only SQL needs.
    from contractwatch.odcs.sql.sql_errors import InvalidSqlError, UnsafeSqlError  # noqa: PLC0415 - see above
    from contractwatch.odcs.sql.sql_guard import guard_predicate  # noqa: PLC0415 - see above

    try:
        return guard_predicate(condition.value, table)
    except UnsafeSqlError as hostile:
        findings.fatal(condition, str(hostile))
        return ""
    except InvalidSqlError as wrong:
        findings.error(condition, str(wrong))
        return ""


def _read_queries(
    node: YamlNode, table: Table, tables: Sequence[Table], findings: Findings
) -> Iterator[SqlRule]:
    known: dict[tuple[str | None, str], SqlRule] = {}
    for number, (rule, column) in enumerate(_rules(node)):
        found = _read_query(rule, (table, column), tables, findings)
        if found is None:
            continue
        first = known.setdefault((found.column, found.rule_id), found)
        other_id = f"{found.rule_id}-{number}"
        if first is found:
            yield found
        elif first.severity is not found.severity:
            yield replace(found, rule_id=other_id)
        else:
            again = replace(_promised(rule, table, found.column, findings), rule_id=other_id)
            findings.skip(rule, again, f"the same rule as {first.clause.path}")


def _rules(node: YamlNode) -> Iterator[tuple[YamlNode, SchemaField | None]]:
    """Yield each SQL rule of a table and of its columns, at any depth, with its column."""
    columns = (column for column in node.at("properties").each() if column.text("name"))
    below = (inner for column in columns for inner in walk_fields(column))
    for owner, inner in ((node, None), *((inner.node, inner) for inner in below)):
        for rule in owner.at("quality").each():
            if rule.text("type") == SQL and not rule.has("metric"):
                yield rule, inner


def _read_query(
    rule: YamlNode,
    at: tuple[Table, SchemaField | None],
    tables: Sequence[Table],
    findings: Findings,
) -> SqlRule | None:
    table, column = at
    name = column.name if column is not None else None
    severity, limit = severity_of(rule, findings), _read_limit(rule, findings)
    if rule.extension("baseline") is not None:
        why = f"contractwatch.baseline of sql, {ROW_COUNT_ONLY}"
        findings.skip(rule, _promised(rule, table, name, findings), why)
        return None
    if column is not None and column.in_array and has_column_placeholder(rule.text("query")):
        why = "SQL that names a property inside an array, of which a row has no single value"
        findings.skip(rule, _promised(rule, table, name, findings), why)
        return None
    dialect = _read_dialect(rule, findings)
    if dialect is None:
        return None
    found = _guard(rule, (table.physical_name, column), tables, dialect, findings)
    if isinstance(found, _Unsupported):
        # other tools run it on a server with more tables and another dialect
        findings.warn(rule.at("query"), f"the rule is skipped: {found.why}")
        findings.skip(rule, _promised(rule, table, name, findings), found.why)
        return None
    if found is None or limit is None:
        return None
    return SqlRule(
        clause=rule.clause,
        rule_id=rule_id_of(rule),
        query=found[0],
        tables=found[1],
        limit=limit,
        severity=severity,
        column=name,
        dimension=dimension_of(rule),
        description=rule.text("description") or rule.text("name"),
        dialect=dialect,
        written=found[2],
    )


def _read_dialect(rule: YamlNode, findings: Findings) -> str | None:
    """Return `contractwatch.dialect` of a rule, empty if it names none; an unknown is an error."""
    written = rule.extension("dialect")
    if written is None:
        return ""
    found = dialect_named(written.value) if isinstance(written.value, str) else None
    if found is None:
        known = ", ".join(sorted(DIALECTS))
        findings.error(written, f"the dialect of SQL is not known; expected one of {known}")
    return found


def _guard(
    rule: YamlNode,
    at: tuple[str, SchemaField | None],
    tables: Sequence[Table],
    dialect: str,
    findings: Findings,
) -> tuple[str, tuple[str, ...], str] | _Unsupported | None:
    """Return the guarded query, the tables that it reads, and the query for databases.

    An invalid one is an error.
    """
    # Imported here because the parser takes a third of a second that only SQL needs.
    from contractwatch.odcs.sql.sql_errors import (  # noqa: PLC0415 - see above
        InvalidSqlError,
        UnsafeSqlError,
        UnsupportedSqlError,
    )

    if not rule.text("query"):
        if isinstance(rule.at("query").value, str):
            findings.error(rule.at("query"), "the query is empty; expected one SELECT")
        return None
    try:
        return _guarded(rule, at, tables, dialect)
    except UnsupportedSqlError as other:
        return _Unsupported(str(other))
    except UnsafeSqlError as hostile:
        findings.fatal(rule.at("query"), str(hostile))
        return None
    except InvalidSqlError as wrong:
        findings.error(rule.at("query"), str(wrong))
        return None


def _guarded(
    rule: YamlNode,
    at: tuple[str, SchemaField | None],
    tables: Sequence[Table],
    dialect: str,
) -> tuple[str, tuple[str, ...], str]:
    """Return the guarded query, the tables that it reads, and the query for databases.

    Of a contract whose servers are all databases the query is guarded in their dialects, and again
    when it runs.

    Raises:
        InvalidSqlError: If it is refused.
    """
    # Imported here as above.
    from contractwatch.odcs.sql.sql_guard import guard_database_query, guard_query  # noqa: PLC0415

    databases = _database_dialects(rule)
    text = _with_names(rule, at, [dialect or DEFAULT_DIALECT])
    in_databases = _with_names(rule, at, [dialect] if dialect else databases or [DEFAULT_DIALECT])
    if has_variables(text):
        return text, tuple(one.name for one in tables), in_databases
    if databases and not _has_files(rule):
        queries = [
            guard_database_query(in_databases, tables, one, written_in=dialect) for one in databases
        ]
        return in_databases, queries[0].tables, in_databases
    found = guard_query(text, tables, dialect)
    return found.text, found.tables, in_databases


def _with_names(rule: YamlNode, at: tuple[str, SchemaField | None], dialects: Sequence[str]) -> str:
    """Return the query of a rule with the names of its table and column, quoted for the dialects.

    Raises:
        UnsupportedSqlError: If the dialects quote names in different ways, and there are any.
        InvalidSqlError: If a placeholder is not known.
    """
    # Imported here as above.
    from contractwatch.odcs.sql.placeholders import fill_placeholders  # noqa: PLC0415
    from contractwatch.odcs.sql.sql_errors import UnsupportedSqlError  # noqa: PLC0415

    table, column = at
    steps = column.steps if column is not None else ()
    texts = {
        fill_placeholders(rule.text("query"), table, steps, quote=name_quote(one))
        for one in dialects
    }
    if len(texts) > 1:
        raise UnsupportedSqlError("its placeholders are for databases that quote names differently")
    return texts.pop()


def _database_dialects(rule: YamlNode) -> list[str]:
    """Return the dialects of those servers of the contract that are databases."""
    kinds = (DATABASE_KINDS.get(kind) for kind in _server_types(rule))
    return sorted({SQL_DIALECTS[kind] for kind in kinds if kind is not None})


def _has_files(rule: YamlNode) -> bool:
    """Return whether a server of the contract is no database."""
    return any(kind not in DATABASE_KINDS for kind in _server_types(rule))


def _server_types(rule: YamlNode) -> list[str]:
    servers = YamlNode(rule.document, "", rule.document.data).at("servers").each()
    return [server.text("type") for server in servers]


def _read_limit(rule: YamlNode, findings: Findings) -> AnswerLimit | None:
    given = [name for name in OPERATORS if rule.has(name)]
    if len(given) != 1 or given[0] not in _EQUALITIES:
        return read_threshold(rule, findings)
    node, negated = rule.at(given[0]), given[0] == Operator.NOT_EQUAL
    if isinstance(node.value, bool) and negated:
        opposite = str(not node.value).lower()
        findings.error(node, f"true and false are compared by mustBe; expected mustBe: {opposite}")
        return None
    if isinstance(node.value, bool | str):
        return ExactAnswer(node.value, negated)
    return read_threshold(rule, findings)


def _promised(rule: YamlNode, table: Table, column: str | None, findings: Findings) -> Promised:
    made = promised(
        SQL,
        table.name,
        column,
        severity=severity_of(rule, findings),
        rule_id=rule_id_of(rule),
        expected=rule.text("description") or rule.text("name"),
    )
    dimension = dimension_of(rule)
    if dimension is None:
        return made
    return replace(made, dimension=dimension, objective=OBJECTIVE_OF_DIMENSION[dimension])
