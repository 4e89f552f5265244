"""Tests of the guard: public addresses only, and no wait beyond the deadline."""

import socket
import threading
import time

import pytest

from benchmarks.receiver import Receiver
from contractwatch.channels.guard import Gate, SendDeadline, system_resolve, tls_context
from contractwatch.errors import ChannelError
from contractwatch.model.base.address import is_forbidden, is_public


def gate(*, seconds: float = 5.0, allow_private: bool = False, resolve=system_resolve) -> Gate:
    return Gate(SendDeadline.after(seconds), allow_private, resolve, tls_context())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.9.9.9",
        "0.0.0.0",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "100.100.100.200",
        "169.254.169.254",
        "168.63.129.16",
        "224.0.0.1",
        "255.255.255.255",
        "192.0.2.1",
        "::",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "::127.0.0.1",
        "64:ff9b::7f00:1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "fe80::1",
        "fe80::1%lo",
        "fec0::1",
        "fc00::1",
        "fd00:ec2::254",
        "ff02::1",
        "2001:db8::1",
    ],
)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.170.2",
        "168.63.129.16",
        "100.100.100.200",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fe80::1%lo",
        "fd00:ec2::254",
        "0.0.0.0",
        "::",
        "224.0.0.1",
    ],
)
def test_a_metadata_service_is_forbidden_to_everybody(address: str) -> None:
    assert is_forbidden(address)
    assert not is_public(address)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "8.8.8.8", "fc00::1", "::1"])
def test_an_address_of_a_private_net_is_not_forbidden(address: str) -> None:
    assert not is_forbidden(address)


def test_a_private_address_is_refused_before_it_is_connected_to() -> None:
    with Receiver() as receiver, pytest.raises(ChannelError) as failure:
        gate().connect("127.0.0.1", receiver.port)
    assert (failure.value.retryable, failure.value.reason) == (False, "config")
    assert receiver.connections == 0


@pytest.mark.parametrize("name", ["localhost", "0x7f.1", "2130706433", "127.1"])
def test_another_spelling_of_this_machine_is_refused_too(name: str) -> None:
    with Receiver() as receiver, pytest.raises(ChannelError) as failure:
        gate().connect(name, receiver.port)
    assert failure.value.reason in ("config", "dns")
    assert receiver.connections == 0


def test_one_private_address_among_public_ones_refuses_the_name() -> None:
    with pytest.raises(ChannelError, match="not public"):
        gate(resolve=lambda host, port: ("8.8.8.8", "10.0.0.1")).connect("mixed.example.com", 443)


def test_a_name_is_resolved_once_so_that_a_second_answer_cannot_lead_inside() -> None:
    answers = iter([("203.0.114.250",), ("127.0.0.1",)])
    asked = []

    def rebinding(host: str, port: int) -> tuple[str, ...]:
        asked.append(host)
        return next(answers)

    with Receiver() as receiver, pytest.raises(ChannelError) as failure:
        gate(seconds=0.3, resolve=rebinding).connect("rebind.example.com", receiver.port)
    assert failure.value.retryable
    assert asked == ["rebind.example.com"]
    assert receiver.connections == 0


def test_a_name_without_an_address_is_a_dns_failure_and_retried() -> None:
    def unknown(host: str, port: int) -> tuple[str, ...]:
        raise socket.gaierror(socket.EAI_NONAME, "unknown")

    with pytest.raises(ChannelError) as failure:
        gate(resolve=unknown).connect("nowhere.example.com", 443)
    assert (failure.value.retryable, failure.value.reason) == (True, "dns")


def test_a_resolver_that_hangs_ends_at_the_deadline() -> None:
    released = threading.Event()

    def hanging(host: str, port: int) -> tuple[str, ...]:
        released.wait(30)
        return ("127.0.0.1",)

    began = time.monotonic()
    with pytest.raises(ChannelError) as failure:
        gate(seconds=0.3, resolve=hanging).connect("slow.example.com", 443)
    released.set()
    assert failure.value.reason == "dns"
    assert time.monotonic() - began < 5


def test_the_next_address_is_tried_when_the_first_refuses() -> None:
    with Receiver() as receiver:
        both = gate(allow_private=True, resolve=lambda host, port: ("127.0.0.2", "127.0.0.1"))
        sock = both.connect("two.example.com", receiver.port)
        assert sock.getpeername() == ("127.0.0.1", receiver.port)
        sock.close()
