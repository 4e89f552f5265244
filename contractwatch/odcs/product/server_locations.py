"""Read where a server's files are: a path, or a bucket and its object store."""

from urllib.parse import urlsplit

from contractwatch.odcs.values.variables import has_variables
from contractwatch.odcs.yaml.node import Findings, YamlNode

LOCAL, S3 = "local", "s3"
PATH_KEYS = {LOCAL: "path", S3: "location"}
"""The types of servers that are read, and where each has its path."""

_EXAMPLES = {LOCAL: "files such as ./data/*.csv", S3: "objects such as s3://bucket/data/*.parquet"}
_SCHEME = "s3://"


def read_location(node: YamlNode, findings: Findings) -> tuple[str, str]:
    """Read the path or location of a server, and the endpoint of its object store; else empty."""
    kind = node.text("type")
    if kind not in PATH_KEYS:
        return "", ""
    key = PATH_KEYS[kind]
    path = node.text(key)
    if node.has(key) and not path:
        findings.error(node.at(key), f"the {key} is empty; expected {_EXAMPLES[kind]}")
    if kind == LOCAL:
        return path, ""
    if path and not path.startswith((_SCHEME, "${")):
        findings.error(node.at(key), f"expected {_EXAMPLES[kind]}")
    return path, _endpoint(node, findings)


def file_extension(path: str) -> str:
    """Return the extension of a path, such as `parquet`; empty if it has none."""
    last = path.rsplit("/", 1)[-1]
    return last.rpartition(".")[2].lower() if "." in last else ""


def _endpoint(node: YamlNode, findings: Findings) -> str:
    written = node.text("endpointUrl")
    if has_variables(written) or not node.has("endpointUrl"):
        return written
    if not _is_address(written):
        findings.error(
            node.at("endpointUrl"),
            "expected the address of a store, such as https://host:9000, without path or password",
        )
    return written


def _is_address(written: str) -> bool:
    try:
        parts = urlsplit(written)
        _ = parts.port
    except ValueError:
        return False
    has_more = parts.username is not None or parts.query or parts.fragment
    is_web = parts.scheme in {"http", "https"}
    return bool(is_web and parts.hostname) and not has_more and parts.path in {"", "/"}
