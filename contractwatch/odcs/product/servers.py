"""Read the servers of a contract, and why one of them cannot be opened."""

from contractwatch.model.base.connection import DATABASE_KINDS
from contractwatch.model.base.server import DataFormat, ReadPolicy, Server
from contractwatch.odcs.product.database_servers import DatabaseAddress, read_database
from contractwatch.odcs.product.server_locations import PATH_KEYS, S3, file_extension, read_location
from contractwatch.odcs.values.zones import UTC_NAME, zone_at
from contractwatch.odcs.yaml.node import Findings, YamlNode, suggestion
from contractwatch.odcs.yaml.unique_names import check_unique

_FORMATS = {
    "parquet": DataFormat.PARQUET,
    "csv": DataFormat.CSV,
    "json": DataFormat.JSON,
    "jsonl": DataFormat.JSON,
    "ndjson": DataFormat.JSON,
    "avro": DataFormat.AVRO,
    "delta": DataFormat.DELTA,
    "iceberg": DataFormat.ICEBERG,
    "arrow": DataFormat.ARROW,
    "ipc": DataFormat.ARROW,
    "feather": DataFormat.ARROW,
}
_LOSSY_UTF8 = "utf8-lossy"
_ENCODINGS = {
    "": "utf8",
    "utf8": "utf8",
    "utf-8": "utf8",
    "ascii": "utf8",
    "us-ascii": "utf8",
    "utf8-lossy": _LOSSY_UTF8,
}

_MAX_SHOWN = 40


def read_servers(root: YamlNode, findings: Findings) -> tuple[Server, ...]:
    """Read the servers in the order of the file."""
    nodes = [node for node in root.at("servers").each() if node.mapping()]
    for key, what in (("server", "server"), ("id", "id")):
        check_unique(nodes, key, what, findings)
    return tuple(_read_server(node, findings) for node in nodes)


def default_zone(servers: tuple[Server, ...], root: YamlNode, findings: Findings) -> str:
    """Return the time zone of naive timestamps: that of all servers, else UTC with a warning."""
    known = (
        one
        for one in servers
        if one.path or one.kind in DATABASE_KINDS
        if one.clause.path not in findings.removed_paths
    )
    zones = list(dict.fromkeys(server.read.timezone for server in known))
    if len(zones) > 1:
        message = (
            f"servers of several time zones ({', '.join(zones)}): columns without"
            f" 'defaultTimezone' are taken in {UTC_NAME}"
        )
        findings.warn(root.at("servers"), message)
        return UTC_NAME
    return zones[0] if zones else UTC_NAME


def _read_server(node: YamlNode, findings: Findings) -> Server:
    kind = node.text("type")
    written = node.text("format").lower()
    read = _read_policy(node, findings)
    path, endpoint = read_location(node, findings)
    place = read_database(node, findings) if kind in DATABASE_KINDS else DatabaseAddress()
    written = written or (file_extension(path) if kind == S3 else "")
    unsupported = _unsupported_reason(node, kind, written, read)
    if unsupported and kind in PATH_KEYS:
        where = node.at("format") if node.has("format") else node
        findings.warn(where, f"{unsupported}; nothing of this server is judged")
    return Server(
        clause=node.clause,
        name=node.text("server"),
        kind=kind,
        environment=node.text("environment"),
        path=path,
        data_format=_FORMATS.get(written) if kind in PATH_KEYS else None,
        json_array=_is_array(node),
        read=read,
        unsupported=unsupported,
        endpoint=endpoint,
        host=place.host,
        port=place.port,
        database=place.database,
        schema=place.schema,
    )


def _is_array(node: YamlNode) -> bool | None:
    framing = node.text("delimiter")
    policy = node.extension("read")
    if policy is not None and policy.text("delimiter"):
        framing = policy.text("delimiter")
    return {"array": True, "new_line": False}.get(framing)


def _unsupported_reason(node: YamlNode, kind: str, written: str, read: ReadPolicy) -> str:
    policy = node.extension("read")
    if kind in DATABASE_KINDS:
        return ""
    if kind not in PATH_KEYS:
        return f"servers of type '{kind[:_MAX_SHOWN]}' are not read yet"
    if written not in _FORMATS:
        hint = suggestion(written, _FORMATS)
        return f"files of format '{written[:_MAX_SHOWN]}' are not read yet{hint}"
    if not _is_known_encoding(read.encoding):
        return f"the encoding '{read.encoding[:_MAX_SHOWN]}' is not known"
    if policy is not None and policy.flag("hasHeader") is False:
        return "files without a header are not read yet"
    return ""


def _is_known_encoding(encoding: str) -> bool:
    """Return whether files in an encoding can be read."""
    if encoding == _LOSSY_UTF8:
        return True
    try:
        return "x".encode(encoding).decode(encoding) == "x"
    except (LookupError, ValueError):  # unknown, or no encoding of text
        return False


def _read_policy(node: YamlNode, findings: Findings) -> ReadPolicy:
    policy = node.extension("read") or YamlNode(
        node.document, f"{node.path}.customProperties", None
    )
    separator = policy.mapping().get("separator", ",")
    if not isinstance(separator, str) or len(separator.encode()) != 1:
        findings.error(policy.at("separator"), "expected one ASCII character, such as ';'")
        separator = ","
    decimal, thousands = _read_number_marks(policy, separator, findings)
    encoding = (policy.text("encoding") or node.text("encoding")).lower()
    nulls = policy.texts("nullValues") if policy.has("nullValues") else ("",)
    return ReadPolicy(
        separator=separator,
        null_values=nulls,
        encoding=_ENCODINGS.get(encoding, encoding),
        hive_partitioning=policy.flag("hivePartitioning"),
        timezone=zone_at(policy, "timezone", UTC_NAME, findings),
        lenient_types=policy.text("typeMode") == "lenient",
        decimal=decimal,
        thousands=thousands,
    )


def _read_number_marks(policy: YamlNode, separator: str, findings: Findings) -> tuple[str, str]:
    """Return the decimal separator and the thousands separator."""
    decimal = policy.text("decimal") or "."
    written = policy.mapping().get("thousands")
    thousands = written if isinstance(written, str) else ""  # not stripped, as it may be a blank
    if decimal == thousands:
        message = f"the mark between thousands is the decimal mark '{decimal}'; expected another"
        findings.error(policy.at("thousands"), message)
        return ".", ""
    if thousands == separator:
        # no error: numbers in quotes may have it
        findings.warn(
            policy.at("thousands"), "this is the separator, too: such numbers need quotes"
        )
    return decimal, thousands
