"""Read secrets from files or the environment at the moment of use, without caching them."""

import os
from pathlib import Path

from contractwatch.errors import ChannelError, unreadable_reason
from contractwatch.model.base.receiver import SecretRef, SecretSource


def read_secret(ref: SecretRef) -> str:
    """Return the secret that `ref` names, without the white space around it.

    Raises:
        ChannelError: Of reason `config`, if it is missing, empty or unreadable; retryable, since
            it may be put in place.
    """
    match ref.source:
        case SecretSource.ENVIRONMENT:
            secret = os.environ.get(ref.name, "").strip()
            place = f"environment variable {ref.name}"
        case SecretSource.FILE:
            place = f"secret file {ref.name}"
            try:
                secret = Path(ref.name).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                message = f"{place} cannot be read: {unreadable_reason(error)}"
                raise ChannelError(message, retryable=True, reason="config") from error
    if not secret:
        raise ChannelError(f"{place} is not set or is empty", retryable=True, reason="config")
    return secret
