"""Read where the database of a server is: host, port, database and schema."""

from dataclasses import dataclass

from contractwatch.model.base.connection import DATABASE_KINDS, DatabaseKind
from contractwatch.odcs.values.variables import has_variables
from contractwatch.odcs.yaml.node import Findings, YamlNode

_MOST_PORT = 65_535
_NOT_IN_HOST = frozenset("/\\?# ,;")
_HOST = "the name of a host alone, such as db.example.org"
_NAMES = {
    "database": "the name of a database, such as shop",
    "schema": "the name of a schema, such as public",
}
_FILE = "the path of a DuckDB file, such as ./shop.duckdb"
_NO_FILES = (":memory:", "md:", "motherduck:")


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
    if kind is DatabaseKind.DUCKDB:
        return DatabaseAddress(
            database=_file(node, findings), schema=_name(node, "schema", findings)
        )
    database = _name(node, "database", findings)
    # The schema of MySQL is its database.
    schema = database if kind is DatabaseKind.MYSQL else _name(node, "schema", findings)
    return DatabaseAddress(_host(node, findings), _port(node, findings), database, schema)


def _host(node: YamlNode, findings: Findings) -> str:
    host = node.text("host")
    why = _wrong_host(host) if node.has("host") else ""
    if why:
        findings.error(node.at("host"), f"{why}; expected {_HOST}")
        return ""
    return host


def _wrong_host(host: str) -> str:
    """Return what is wrong with a host, without its text: it may hold a password."""
    if "@" in host:
        return "a user or a password never stands in a contract"
    if has_variables(host):
        return ""
    if not host:
        return "the host is empty"
    is_ipv6 = host.startswith("[") or host.count(":") > 1
    if ":" in host and "/" not in host and not is_ipv6:
        return "the port stands in the key 'port'"
    return "" if host.isprintable() and not set(host) & _NOT_IN_HOST else "this is no host"


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
    if not node.has(key) or has_variables(name):
        return name
    why = ""
    if not name:
        why = f"the {key} is empty"
    elif set(name) & set("/\\"):
        why = "this is a path or an address"
    elif not name.isprintable():
        why = f"the {key} holds a character that no name has"
    if why:
        findings.error(node.at(key), f"{why}; expected {_NAMES[key]}")
        return ""
    return name


def _file(node: YamlNode, findings: Findings) -> str:
    path = node.text("database")
    if not node.has("database") or has_variables(path):
        return path
    is_elsewhere = path.startswith(_NO_FILES) or "://" in path
    if not path or is_elsewhere or not path.isprintable():
        why = "this is no file" if path else "the database is empty"
        findings.error(node.at("database"), f"{why}; expected {_FILE}")
        return ""
    return path
