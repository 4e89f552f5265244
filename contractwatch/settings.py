"""Load the operator's settings from contractwatch.toml and the environment.

The only reader of the environment. Secrets are named here (`{env = "NAME"}`, `{file = "path"}`)
and read by the agent at the moment of use; none is ever kept in a value.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, cast
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic import model_validator as _model_validator
from pydantic_settings import (
    BaseSettings,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)
from pydantic_settings.exceptions import SettingsError as _ParseError

from contractwatch.errors import SettingsError, unreadable_reason
from contractwatch.model.base.connection import (
    DATABASE_KINDS,
    DEFAULT_PORTS,
    Connection,
    DatabaseKind,
    normalized_host,
)
from contractwatch.model.base.receiver import Receiver, ReceiverKind, SecretRef, SecretSource
from contractwatch.record_place import default_record

PREFIX = "CONTRACTWATCH_"
CONFIG_NAME = "contractwatch.toml"
DEFAULT_PORT = 8321
_TLS_PORT = 465
_SQLITE = "sqlite:///"
_RESERVED = ("CONTRACTWATCH_TEST_", "CONTRACTWATCH_GOLDEN")
_WRITTEN_OUT = (
    "a secret is never written into the settings; say where it is kept: "
    '{env = "NAME"} or {file = "path"}'
)

_BETWEEN_ADDRESSES = re.compile(r'[,;\n](?=(?:[^"]*"[^"]*")*[^"]*$)')
_NEUTRAL = ".example"
_HOW_TO_ADDRESS = (
    "write name@example.org or 'Name <name@example.org>', a name with a comma in double quotes"
)


@dataclass(frozen=True, slots=True)
class Settings:
    """The operator's settings. Paths are absolute; units are in the names."""

    contracts: tuple[Path, ...]
    roots: tuple[Path, ...]
    environment: str
    contract_environment: tuple[str, ...]
    full_scans: tuple[str, ...]
    s3_endpoints: tuple[str, ...]
    s3_buckets: tuple[str, ...]
    store_url: str
    host: str
    port: int
    base_url: str
    allowed_hosts: tuple[str, ...]
    trusted_proxies: tuple[str, ...]
    max_connections: int
    workers: int
    worker_threads: int
    worker_memory_mb: int
    deadline_seconds: float
    deadline_limit_seconds: float
    run_limit: int
    default_interval_seconds: float
    reprobe_seconds: float
    rescan_seconds: float
    shortest_interval_seconds: float
    contract_deadline_seconds: float
    heartbeat_seconds: float
    heartbeat_limit_seconds: float
    store_outage_seconds: float
    shutdown_seconds: float
    export_level: int
    export_max_series: int
    keep_runs: int
    keep_runs_days: int
    keep_intervals_days: int
    log_format: Literal["console", "json"]
    log_level: Literal["debug", "info", "warning", "error"]
    connections: tuple[Connection, ...]
    receivers: tuple[Receiver, ...]
    default_receivers: tuple[str, ...]


RESTART_ONLY = frozenset(
    {
        "store_url",
        "host",
        "port",
        "base_url",
        "workers",
        "worker_threads",
        "worker_memory_mb",
        "run_limit",
        "heartbeat_seconds",
        "heartbeat_limit_seconds",
        "export_level",
        "export_max_series",
    }
)
"""What a running agent cannot change: it is said, and taken at the next start."""


def changed_names(before: Settings, after: Settings) -> tuple[str, ...]:
    """Return the names of the settings that differ, in their order."""
    names = (one.name for one in fields(Settings))
    return tuple(name for name in names if getattr(before, name) != getattr(after, name))


def load_settings(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """Read the settings.

    Args:
        config: The TOML file; None takes `contractwatch.toml` of the working folder, if there.
        environ: The environment, whose `CONTRACTWATCH_` names win over the file.

    Raises:
        SettingsError: With every problem, one sentence each.
    """
    file = config if config is not None else Path(CONFIG_NAME)
    table = _toml(file, is_required=config is not None)
    base = file.absolute().parent
    overrides, problems = _environment(environ)
    problems += _unknown_names(environ, table)
    merged = _merge(_absolute(table, base), _absolute(overrides, Path.cwd()))
    problems += _default_problems(merged)
    try:
        read = _Table(**merged)
    except ValidationError as error:
        problems += [_sentence(one) for one in error.errors(include_input=False)]
        raise SettingsError(problems) from None
    settings = _settings(read, base)
    problems += _doubled_connections(settings.connections)
    if problems:
        raise SettingsError(problems)
    return settings


def environment() -> dict[str, str]:
    """Return the environment of this process, to be passed to `load_settings`."""
    return dict(os.environ)


def variables(names: Iterable[str], environ: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the variables that contracts may use, with the values of those that are set."""
    return tuple((name, environ[name]) for name in dict.fromkeys(names) if name in environ)


def _as_ref(value: object) -> object:
    if isinstance(value, str):
        raise ValueError(_WRITTEN_OUT)  # noqa: TRY004  (pydantic collects only ValueError)
    return value


def _plain_address(value: object) -> object:
    if isinstance(value, str) and "@" in value.split("//", 1)[-1].split("/", 1)[0]:
        raise ValueError(_WRITTEN_OUT)
    if isinstance(value, str) and value and not _is_web_address(value):
        raise ValueError("write a whole address, such as https://example.org/hook")
    return value


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        is_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_web = parts.scheme in ("http", "https") and bool(parts.hostname)
    return is_web and is_port and text.isprintable() and " " not in text


def _mailboxes(value: object) -> object:
    """Return the addresses, checked and each once; several in one text are split."""
    written: object = [value] if isinstance(value, str) else value
    if not isinstance(written, list | tuple):
        return value
    found: dict[str, str] = {}
    for text in cast("list[object]", written):
        if not isinstance(text, str):
            return value
        for part in _BETWEEN_ADDRESSES.split(text):
            if part.strip() or not text.strip():
                name, address = _mailbox(part.strip())
                found.setdefault(address.casefold(), f"{name} <{address}>" if name else address)
    return tuple(found.values())


def _one_mailbox(value: object) -> object:
    found = _mailboxes(value) if isinstance(value, str) and value else value
    if isinstance(found, tuple) and len(cast("tuple[object, ...]", found)) != 1:
        raise ValueError("write exactly one address")
    return cast("tuple[str, ...]", found)[0] if isinstance(found, tuple) else found


def _mailbox(text: str) -> tuple[str, str]:
    """Return the name and the address, with its domain in ASCII.

    Raises:
        ValueError: With what is wrong with it.
    """
    before, _, last = text.rpartition("<")
    name, address = (
        (before.strip(), last[:-1].strip()) if "<" in text and last.endswith(">") else ("", text)
    )
    is_quoted = len(name) > 1 and name.startswith('"') and name.endswith('"')
    if not text.isprintable() or (not is_quoted and set(name) & set('<>"')) or "=?" in address:
        raise ValueError(f"{text!r}: {_HOW_TO_ADDRESS}")
    try:
        # Not asked of DNS. A private domain (localhost, corp.local) is as good as a public one
        # here, which the library believes only of what ends in a domain that it has no opinion of.
        read = validate_email(f"{address}{_NEUTRAL}", check_deliverability=False)
    except EmailNotValidError as error:
        said = str(error).rstrip(".")
        raise ValueError(f"{text!r}: {said[:1].lower()}{said[1:]}; {_HOW_TO_ADDRESS}") from None
    return name, f"{read.local_part}@{str(read.ascii_domain).removesuffix(_NEUTRAL)}"


def _host(value: object) -> object:
    if isinstance(value, str) and value:
        is_plain = value.isprintable() and not set(value) & set(" /@:,;")
        if not is_plain and not _is_ip(value):
            raise ValueError("write the name of the mail server alone; its port is smtp_port")
    return value


def _database_host(value: object) -> object:
    if isinstance(value, str) and value:
        if "@" in value:
            raise ValueError(_WRITTEN_OUT)
        is_plain = value.isprintable() and not set(value) & set(" /:,;?#")
        if not is_plain and not _is_ip(value.removeprefix("[").removesuffix("]")):
            raise ValueError("write the name or the address of the host alone; its port is port")
    return value


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _network(value: object) -> object:
    try:
        ip_network(str(value), strict=False)
    except ValueError:
        raise ValueError("expected an address or a network, such as 10.0.0.0/8") from None
    return value


_Network: TypeAlias = Annotated[str, BeforeValidator(_network)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


class _Ref(_Strict):
    """Location of a secret: an environment variable or a file."""

    env: str = ""
    file: str = ""

    @_model_validator(mode="after")
    def _one_place(self) -> "_Ref":
        if bool(self.env) == bool(self.file):
            raise ValueError('give exactly one of {env = "NAME"} and {file = "path"}')
        return self


_Secret: TypeAlias = Annotated[_Ref, BeforeValidator(_as_ref)]


class _ReceiverTable(_Strict):
    kind: ReceiverKind
    url: Annotated[str | _Ref, BeforeValidator(_plain_address)] = ""
    key: _Secret | None = None
    keys: tuple[_Secret, ...] = ()
    smtp_host: Annotated[str, BeforeValidator(_host)] = ""
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_starttls: bool = True
    username: str = ""
    password: _Secret | None = None
    sender: Annotated[str, BeforeValidator(_one_mailbox)] = ""
    recipients: Annotated[tuple[str, ...], BeforeValidator(_mailboxes)] = ()
    aliases: tuple[str, ...] = ()
    allow_private: bool = False
    timeout_seconds: float = Field(default=10.0, gt=0, le=60)
    most_per_minute: float = Field(default=0.0, ge=0, le=6000)

    @_model_validator(mode="after")
    def _complete(self) -> "_ReceiverTable":
        lacking = [name for name in _NEEDED[self.kind] if not getattr(self, name)]
        if self.kind is ReceiverKind.PAGERDUTY and self.keys and "key" in lacking:
            lacking.remove("key")
        if lacking:
            raise ValueError(f"a receiver of kind {self.kind} needs {', '.join(lacking)}")
        if self.kind is ReceiverKind.SLACK and isinstance(self.url, str):
            raise ValueError(f"url: the address of a Slack webhook is a secret; {_WRITTEN_OUT}")
        if self.kind is ReceiverKind.EMAIL:
            self._may_log_in()
        return self

    def _may_log_in(self) -> None:
        if bool(self.username) != (self.password is not None):
            raise ValueError("username and password are given together, or neither")
        is_encrypted = self.smtp_starttls or self.smtp_port == _TLS_PORT
        if self.username and not is_encrypted and not self.allow_private:
            raise ValueError(
                "the password would be sent without TLS; write smtp_starttls = true, or "
                "allow_private = true for a server inside your network"
            )


_NEEDED: Mapping[ReceiverKind, tuple[str, ...]] = {
    ReceiverKind.WEBHOOK: ("url",),
    ReceiverKind.SLACK: ("url",),
    ReceiverKind.EMAIL: ("smtp_host", "sender", "recipients"),
    ReceiverKind.PAGERDUTY: ("key",),
    ReceiverKind.LOG: (),
}


_OF_LIBPQ = ("allow", "prefer")
_NO_FILES = (":memory:", "md:", "motherduck:")


class _ConnectionTable(_Strict):
    type: str
    host: Annotated[str, BeforeValidator(_database_host)] = ""
    port: int = Field(default=0, ge=0, le=65535)
    database: str = Field(min_length=1, max_length=4096)
    user: str = ""
    password: _Secret | None = None
    sslmode: Literal["", "disable", "allow", "prefer", "require", "verify-ca", "verify-full"] = ""
    sslrootcert: str = ""
    roots: tuple[str, ...] = ()
    statement_timeout_seconds: float = Field(default=60, gt=0, le=86_400)
    connections_limit: int = Field(default=2, ge=1, le=100)
    pull_max_rows: int = Field(default=1_000_000, ge=0, le=1_000_000_000)

    @_model_validator(mode="after")
    def _complete(self) -> "_ConnectionTable":
        if self.type not in DATABASE_KINDS:
            known = ", ".join(DATABASE_KINDS)
            raise ValueError(f"type: databases of this type are not read; expected one of {known}")
        if DATABASE_KINDS[self.type] is DatabaseKind.DUCKDB:
            self._names_a_file()
        else:
            self._names_a_server()
        return self

    def _names_a_file(self) -> None:
        if any((self.host, self.port, self.user, self.password, self.sslmode, self.sslrootcert)):
            raise ValueError("a database file of DuckDB has no host, port, user or password")
        if self.database.startswith(_NO_FILES) or "://" in self.database:
            raise ValueError("database: write the path of a DuckDB file")

    def _names_a_server(self) -> None:
        if not self.host:
            raise ValueError("host: write the name of the database's host")
        if set(self.database) & set("/\\"):
            raise ValueError("database: write the name of the database alone")
        if DATABASE_KINDS[self.type] is DatabaseKind.MYSQL and self.sslmode in _OF_LIBPQ:
            raise ValueError("sslmode: expected one of disable, require, verify-ca, verify-full")
        if self.sslrootcert and not self.sslmode.startswith("verify-"):
            raise ValueError("sslrootcert is used by sslmode verify-ca and verify-full only")


class _AlertsTable(_Strict):
    default: tuple[str, ...] = ()


_LONGEST_SECONDS = 31 * 86_400
_LONGEST_DAYS = 36_500
_MOST_MB = 2**30


class _Table(BaseSettings):
    """Schema of contractwatch.toml, and of the environment with `__` between levels."""

    model_config = SettingsConfigDict(
        extra="forbid",
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        hide_input_in_errors=True,
        allow_inf_nan=False,
    )

    contracts: tuple[Path, ...] = (Path("contracts"),)
    roots: tuple[Path, ...] = ()
    environment: str = ""
    contract_environment: tuple[str, ...] = ()
    full_scans: tuple[str, ...] = ()
    s3_endpoints: tuple[str, ...] = ()
    s3_buckets: tuple[str, ...] = ()
    store_url: str = ""
    host: str = "127.0.0.1"
    port: int = Field(default=DEFAULT_PORT, ge=0, le=65535)
    base_url: str = Field(default="", pattern="^(https?://.*)?$")
    allowed_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[_Network, ...] = ()
    max_connections: int = Field(default=0, ge=0, le=100_000)
    workers: int = Field(default_factory=lambda: min(4, os.cpu_count() or 1), ge=1, le=256)
    worker_threads: int = Field(default=0, ge=0, le=256)
    worker_memory_mb: int = Field(default=1024, ge=256, le=_MOST_MB)
    deadline_seconds: float = Field(default=60, gt=0, le=_LONGEST_SECONDS)
    deadline_limit_seconds: float = Field(default=3600, gt=0, le=_LONGEST_SECONDS)
    run_limit: int = Field(default=0, ge=0, le=1024)
    default_interval_seconds: float = Field(default=900, ge=1, le=_LONGEST_SECONDS)
    reprobe_seconds: float = Field(default=300, ge=1, le=_LONGEST_SECONDS)
    rescan_seconds: float = Field(default=30, ge=0.1, le=_LONGEST_SECONDS)
    shortest_interval_seconds: float = Field(default=10, ge=1, le=_LONGEST_SECONDS)
    contract_deadline_seconds: float = Field(default=10, gt=0, le=_LONGEST_SECONDS)
    heartbeat_seconds: float = Field(default=10, ge=0.1, le=60)
    heartbeat_limit_seconds: float = Field(default=60, ge=1, le=_LONGEST_SECONDS)
    store_outage_seconds: float = Field(default=300, ge=1, le=_LONGEST_SECONDS)
    shutdown_seconds: float = Field(default=10, ge=1, le=_LONGEST_SECONDS)
    export_level: int = Field(default=1, ge=1, le=2)
    export_max_series: int = Field(default=150_000, ge=1000, le=100_000_000)
    keep_runs: int = Field(default=50, ge=1, le=1_000_000)
    keep_runs_days: int = Field(default=7, ge=1, le=_LONGEST_DAYS)
    keep_intervals_days: int = Field(default=90, ge=28, le=_LONGEST_DAYS)
    log_format: Literal["console", "json"] = "console"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    connections: dict[str, _ConnectionTable] = {}
    receivers: dict[str, _ReceiverTable] = {}
    alerts: _AlertsTable = _AlertsTable()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what `load_settings` merged and nothing else."""
        return (init_settings,)


def _toml(file: Path, *, is_required: bool) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if is_required:
            raise SettingsError([f"{file}: there is no such file"]) from None
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError([f"{file}: cannot be read: {unreadable_reason(error)}"]) from error
    except tomllib.TOMLDecodeError as error:
        raise SettingsError([f"{file}: is not TOML: {error}"]) from error


def _environment(environ: Mapping[str, str]) -> tuple[dict[str, Any], list[str]]:
    source = EnvSettingsSource(_Table)
    source.env_vars = {name.lower(): value for name, value in environ.items()}
    try:
        return source(), []
    except _ParseError:
        names = (
            "CONTRACT",
            "FULL_SCANS",
            "ROOTS",
            "S3_",
            "CONNECTIONS",
            "RECEIVERS",
            "ALERTS",
            "ALLOWED_",
            "TRUSTED_",
        )
        lists = tuple(f"{PREFIX}{name}" for name in names)
        named = ", ".join(sorted(name for name in environ if name.upper().startswith(lists)))
        return {}, [f'one of {named}: a list is written as JSON, such as ["contracts"]']


def _unknown_names(environ: Mapping[str, str], table: Mapping[str, Any]) -> list[str]:
    """Return a problem for each `CONTRACTWATCH_` name that no setting answers to."""
    secrets = set(_secret_names(table))
    known = {name.upper() for name in _Table.model_fields}
    problems: list[str] = []
    for name in sorted(environ):
        upper = name.upper()
        if not upper.startswith(PREFIX) or name in secrets or upper.startswith(_RESERVED):
            continue
        field = upper.removeprefix(PREFIX).split("__")[0]
        if field not in known:
            near = _near(field, known)
            hint = f"; did you mean {PREFIX}{near}?" if near else ""
            problems.append(f"{name}: no setting has this name{hint}")
    return problems


def _secret_names(value: object) -> Iterable[str]:
    """Yield the variables that the file names as places of secrets: those are no settings."""
    if isinstance(value, Mapping):
        for key, inner in cast("Mapping[str, object]", value).items():
            if key == "env" and isinstance(inner, str):
                yield inner
            yield from _secret_names(inner)
    elif isinstance(value, list):
        for inner in cast("list[object]", value):
            yield from _secret_names(inner)


def _absolute(table: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """Return the table with its paths taken from `base`."""
    result = dict(table)
    for name in ("contracts", "roots"):
        entries = result.get(name)
        if isinstance(entries, str | list):
            listed = [entries] if isinstance(entries, str) else cast("list[object]", entries)
            result[name] = [str(base / Path(str(one)).expanduser()) for one in listed]
    store_url = result.get("store_url")
    if isinstance(store_url, str) and store_url.startswith(_SQLITE) and ":memory:" not in store_url:
        result["store_url"] = f"{_SQLITE}{base / store_url.removeprefix(_SQLITE)}"
    return result


def _merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for name, value in above.items():
        under = result.get(name)
        if isinstance(under, dict) and isinstance(value, dict):
            result[name] = _merge(cast("dict[str, Any]", under), cast("dict[str, Any]", value))
        else:
            result[name] = value
    return result


def _default_problems(merged: Mapping[str, Any]) -> list[str]:
    alerts, receivers = merged.get("alerts"), merged.get("receivers", {})
    names = cast("dict[str, Any]", alerts).get("default") if isinstance(alerts, dict) else None
    if not isinstance(names, list) or not isinstance(receivers, dict):
        return []
    known = [str(name) for name in cast("dict[object, object]", receivers)]
    problems: list[str] = []
    for name in cast("list[object]", names):
        if name not in known:
            near = _near(str(name), known)
            hint = f"; did you mean {near!r}?" if near else f"; write a [receivers.{name}] table"
            problems.append(f"alerts.default: there is no receiver {str(name)!r}{hint}")
    return problems


def _near(word: str, known: Iterable[str]) -> str:
    return next(iter(get_close_matches(word, list(known), n=1, cutoff=0.6)), "")


def _sentence(error: Any) -> str:
    """Return one problem in words, without the value that was given."""
    place = [
        str(part) for part in error["loc"] if part not in ("_Ref", "function-before[_as_ref()")
    ]
    place = [part for part in place if not part.startswith("function-")]
    path = ".".join(place)
    if error["type"] == "extra_forbidden":
        near = _near(place[-1], _fields_at(place))
        hint = f"; did you mean {near!r}?" if near else ""
        return f"{path}: no setting has this name{hint}"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{path}: {message[:1].lower()}{message[1:]}"


def _fields_at(place: list[str]) -> Iterable[str]:
    match place:
        case [_]:
            return _Table.model_fields
        case ["alerts", *_]:
            return _AlertsTable.model_fields
        case ["receivers", _, _]:
            return _ReceiverTable.model_fields
        case ["connections", _, _]:
            return _ConnectionTable.model_fields
        case _:
            return _Ref.model_fields


def _settings(read: _Table, base: Path) -> Settings:
    given: dict[str, Any] = {one.name: getattr(read, one.name, None) for one in fields(Settings)}
    contracts = tuple(base / path for path in read.contracts)
    connections = tuple(_connection(name, one, base) for name, one in read.connections.items())
    computed: dict[str, Any] = {
        "roots": read.roots or (base,),
        "contracts": contracts,
        "store_url": read.store_url or f"{_SQLITE}{default_record(base, contracts)}",
        "base_url": read.base_url.rstrip("/") or f"http://{read.host}:{read.port}",
        "worker_threads": read.worker_threads or max(1, (os.cpu_count() or 1) // read.workers),
        "run_limit": read.run_limit or 8 * read.workers,
        "connections": connections,
        "receivers": tuple(_receiver(name, one, base) for name, one in read.receivers.items()),
        "default_receivers": read.alerts.default,
    }
    return Settings(**{**given, **computed})


def _connection(name: str, table: _ConnectionTable, base: Path) -> Connection:
    kind = DATABASE_KINDS[table.type]
    is_file = kind is DatabaseKind.DUCKDB
    file = base / Path(table.database).expanduser() if is_file else None
    return Connection(
        name=name,
        kind=kind,
        host=table.host,
        port=table.port or DEFAULT_PORTS.get(kind, 0),
        database=str(file) if file else table.database,
        user=table.user,
        password_ref=_ref(table.password, base) if table.password else None,
        sslmode=table.sslmode,
        sslrootcert=str(base / Path(table.sslrootcert).expanduser()) if table.sslrootcert else "",
        schemas=table.roots,
        statement_timeout_seconds=table.statement_timeout_seconds,
        connections_limit=table.connections_limit,
        pull_max_rows=table.pull_max_rows,
    )


def _doubled_connections(connections: Iterable[Connection]) -> list[str]:
    """Return a problem for each connection to a place that another one has, too."""
    known: dict[tuple[object, ...], str] = {}
    problems: list[str] = []
    for one in connections:
        is_file = one.kind is DatabaseKind.DUCKDB
        database = os.path.realpath(one.database) if is_file else one.database
        place = (one.kind, normalized_host(one.host), one.port, database)
        first = known.setdefault(place, one.name)
        if first != one.name:
            problems.append(
                f"connections.{one.name}: connections.{first} is to the same database; keep one"
            )
    return problems


def _receiver(name: str, table: _ReceiverTable, base: Path) -> Receiver:
    given: dict[str, Any] = {one.name: getattr(table, one.name, None) for one in fields(Receiver)}
    keys = ((table.key,) if table.key else ()) + table.keys
    computed: dict[str, Any] = {
        "name": name,
        "url": table.url if isinstance(table.url, str) else "",
        "url_ref": _ref(table.url, base) if isinstance(table.url, _Ref) else None,
        "key_refs": tuple(_ref(key, base) for key in keys),
        "password_ref": _ref(table.password, base) if table.password else None,
    }
    return Receiver(**{**given, **computed})


def _ref(ref: _Ref, base: Path) -> SecretRef:
    if ref.env:
        return SecretRef(SecretSource.ENVIRONMENT, ref.env)
    return SecretRef(SecretSource.FILE, str(base / Path(ref.file).expanduser()))
