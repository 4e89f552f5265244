"""The password of a connection is read at the moment of use."""

from dataclasses import replace
from pathlib import Path

import pytest

from contractwatch.errors import Blame, SourceError
from contractwatch.model.base.connection import Connection, DatabaseKind
from contractwatch.model.base.receiver import SecretRef, SecretSource
from contractwatch.scan.secrets import read_password

SHOP = Connection("shop", DatabaseKind.POSTGRES, "h", 5432, "shop", "reader")


def with_file(path: Path) -> Connection:
    return replace(SHOP, password_ref=SecretRef(SecretSource.FILE, str(path)))


def test_a_connection_without_a_password_has_an_empty_one() -> None:
    assert read_password(SHOP) == ""


def test_a_password_is_read_anew_each_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "password"
    for word in ("one", "two"):
        file.write_text(f"{word}\n")
        assert read_password(with_file(file)) == word
    monkeypatch.setenv("SHOP_PASSWORD", " three ")
    of_variable = replace(SHOP, password_ref=SecretRef(SecretSource.ENVIRONMENT, "SHOP_PASSWORD"))
    assert read_password(of_variable) == "three"


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read: no such file"), (b"", "is empty"), (b"\xff", "it is no text")],
)
def test_a_password_that_cannot_be_read_is_the_agents_fault(
    content: bytes | None, why: str, tmp_path: Path
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SourceError, match="connection 'shop'") as caught:
        read_password(with_file(file))
    assert why in str(caught.value)
    assert str(file) in str(caught.value)
    assert caught.value.blame is Blame.AGENT
