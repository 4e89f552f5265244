"""Tests of the examples in docs/receivers.md."""

import re
from pathlib import Path

from channels_values import SECRETS, context_with, receiver_for

from benchmarks.messages import OPENED
from benchmarks.receiver import Receiver
from contractwatch.channels import CHANNELS
from contractwatch.model.base.receiver import ReceiverKind
from contractwatch.settings import load_settings

PAGE = (Path(__file__).parents[2] / "docs" / "receivers.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return found


def test_the_settings_of_the_page_are_read_and_have_every_kind(tmp_path: Path) -> None:
    file = tmp_path / "contractwatch.toml"
    file.write_text(block("toml"))
    receivers = load_settings(file, {}).receivers
    assert {receiver.kind for receiver in receivers} == set(ReceiverKind)


def test_the_page_verifies_a_signature_as_it_is_made() -> None:
    names: dict[str, object] = {}
    exec(block("python"), names)
    is_genuine = names["is_genuine"]
    with Receiver() as server:
        receiver = receiver_for(ReceiverKind.WEBHOOK, server.port)
        CHANNELS[receiver.kind](OPENED, receiver, context_with())
        seen = server.seen[0]
    assert is_genuine(SECRETS["OLD_KEY"].encode(), seen.headers, seen.body)
    assert not is_genuine(b"another key", seen.headers, seen.body)
    assert not is_genuine(SECRETS["OLD_KEY"].encode(), seen.headers, seen.body + b" ")
