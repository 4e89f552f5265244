"""Read the password of a connection at the moment of use; it is kept in no value of ours."""

import os
from pathlib import Path

from contractwatch.errors import Blame, SourceError, unreadable_reason
from contractwatch.model.base.connection import Connection
from contractwatch.model.base.receiver import SecretSource


def read_password(connection: Connection) -> str:
    """Return the password of a connection; empty if it names none.

    Raises:
        SourceError: If it is not where the settings say.
    """
    ref = connection.password_ref
    if ref is None:
        return ""
    if ref.source is SecretSource.ENVIRONMENT:
        place, why = f"environment variable {ref.name}", "is not set or is empty"
        found = os.environ.get(ref.name, "").strip()
    else:
        place, why = f"secret file {ref.name}", "is empty"
        try:
            found = Path(ref.name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            found, why = "", f"cannot be read: {unreadable_reason(error)}"
    if not found:
        said = f"connection {connection.name!r}: the password's {place} {why}"
        raise SourceError(said, retryable=False, blame=Blame.AGENT)
    return found
