"""Read where the database of a server is: host, port, database and schema."""

from dataclasses import dataclass

from contractwatch.model.base.connection import DATABASE_KINDS, DatabaseKind
from contractwatch.odcs.values.variables import has_variables
from contractwatch.odcs.yaml.node import Findings, YamlNode

_MOST_PORT = 65_535
_NOT_IN_HOST = frozenset("/@?# ,;")


@dataclass(frozen=True, slots=True)
class DatabaseAddress:
    """Address of a database; each part may hold variables, and is empty if it is not named."""

    host: str = ""
    port: str = ""
    database: str = ""
    schema: str = ""


def read_database(node: YamlNode, findings: Findings) -> DatabaseAddress:
    """Read the address of a database of a kind that is asked."""
    kind = DATABASE_KINDS[node.text("type")]
    database = _name(node, "database", findings)
    if kind is DatabaseKind.DUCKDB:
        if not database:
            findings.error(node, "a duckdb server needs 'database', the path of its file")
        return DatabaseAddress(database=database, schema=_name(node, "schema", findings))
    # The schema of MySQL is its database.
    schema = database if kind is DatabaseKind.MYSQL else _name(node, "schema", findings)
    return DatabaseAddress(_host(node, findings), _port(node, findings), database, schema)


def _host(node: YamlNode, findings: Findings) -> str:
    host = node.text("host")
    if not has_variables(host) and (set(host) & _NOT_IN_HOST or "://" in host):
        expected = "the name of a host alone, such as db.example.org; its port is 'port'"
        findings.error(node.at("host"), f"this is no host; expected {expected}")
        return ""
    return host


def _port(node: YamlNode, findings: Findings) -> str:
    written = node.mapping().get("port")
    if written is None:
        return ""
    text = str(written).strip()
    if has_variables(text):
        return text
    if not text.isascii() or not text.isdecimal() or not 0 < int(text[:6]) <= _MOST_PORT:
        findings.error(node.at("port"), f"expected a port of 1 to {_MOST_PORT:,}, such as 5432")
        return ""
    return str(int(text))


def _name(node: YamlNode, key: str, findings: Findings) -> str:
    name = node.text(key)
    if "\x00" in name:
        findings.error(node.at(key), f"the {key} holds a character that no name has")
        return ""
    return name
