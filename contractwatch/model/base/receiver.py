"""Receivers of notifications, which the operator configures and contracts name."""

from dataclasses import dataclass
from enum import StrEnum


class SecretSource(StrEnum):
    """Where a secret is kept; it is read at the moment of use and stored nowhere."""

    ENVIRONMENT = "env"
    FILE = "file"


@dataclass(frozen=True, slots=True)
class SecretRef:
    """The place of a secret: the name of a variable or the path of a file."""

    source: SecretSource
    name: str


class ReceiverKind(StrEnum):
    """Kinds of receivers, one for each channel in `channels/`."""

    WEBHOOK = "webhook"
    SLACK = "slack"
    EMAIL = "email"
    PAGERDUTY = "pagerduty"
    LOG = "log"


@dataclass(frozen=True, slots=True)
class Receiver:
    """Receiver of notifications that the operator configured.

    `url` is an address without a secret in it, `url_ref` the place of one that holds a secret.
    `key_refs` are the signing keys of a webhook (newest first; all sign) or the one routing key of
    PagerDuty. `aliases` are the names by which contracts may call it (`support[].id` or `channel`).
    `allow_private` permits an address that is not public. `most_per_minute` is how many requests
    it may get in a minute; 0 sets no limit.
    """

    name: str
    kind: ReceiverKind
    url: str = ""
    url_ref: SecretRef | None = None
    key_refs: tuple[SecretRef, ...] = ()
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_starttls: bool = True
    username: str = ""
    password_ref: SecretRef | None = None
    sender: str = ""
    recipients: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    allow_private: bool = False
    timeout_seconds: float = 10.0
    most_per_minute: float = 0.0
