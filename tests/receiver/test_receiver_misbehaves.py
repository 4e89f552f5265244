"""Tests of the misbehaving receiver, on which other tests depend."""

import socket

import pytest

from benchmarks.receiver import OK, Answer, Fault, Receiver, Script, misbehaving
from contractwatch.channels.guard import SendDeadline

REQUEST = b"POST /hook HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi"


def asked(receiver: Receiver, *, seconds: float = 0.5) -> bytes:
    """Return what comes back within the time; b"RESET" at the end if the connection was reset."""
    data, deadline = b"", SendDeadline.after(seconds)
    try:
        with socket.create_connection(("127.0.0.1", receiver.port), timeout=seconds) as sock:
            sock.sendall(REQUEST)
            while part := sock.recv(65_536):
                data += part
                sock.settimeout(deadline.left())
    except TimeoutError:
        return data + b"STILL OPEN"
    except ConnectionError:
        return data + b"RESET"
    return data


def test_an_answer_is_sent_whole() -> None:
    with Receiver(Script(Answer(429, (("Retry-After", "7"),), b"slow down"))) as receiver:
        answer = asked(receiver)
    assert answer.startswith(b"HTTP/1.1 429 ")
    assert b"Retry-After: 7" in answer
    assert answer.endswith(b"\r\n\r\nslow down")


@pytest.mark.parametrize(
    ("fault", "beginning", "end", "taken"),
    [
        (Fault.HANG, b"", b"STILL OPEN", False),
        (Fault.DRIP_HEADERS, b"HTTP/1.1 200 OK\r\nX-Slow: a", b"STILL OPEN", False),
        (Fault.DRIP_BODY, b"HTTP/1.1 200 ", b"STILL OPEN", True),
        (Fault.DROP_AFTER, b"", b"RESET", False),
        (Fault.TAKE_AND_DROP, b"", b"", True),
        (Fault.RESET_IN_BODY, b"", b"RESET", True),
        (Fault.ENDLESS_BODY, b"HTTP/1.1 200 ", b"STILL OPEN", True),
    ],
)
def test_a_fault_is_as_it_is_named(fault: Fault, beginning: bytes, end: bytes, taken: bool) -> None:
    with Receiver(Script(fault)) as receiver:
        answer = asked(receiver)
        assert len(receiver.seen) == 1
        assert len(receiver.taken) == int(taken)
    assert answer.startswith(beginning)
    assert answer.endswith(end)
    assert fault.takes is taken


@pytest.mark.parametrize("fault", [Fault.DROP_BEFORE, Fault.NOT_HTTP])
def test_a_fault_before_reading_sees_nothing(fault: Fault) -> None:
    with Receiver(Script(fault)) as receiver:
        assert not asked(receiver).startswith(b"HTTP")
        assert (receiver.seen, receiver.connections) == ([], 1)


def test_a_script_is_followed_and_its_last_line_repeated() -> None:
    with Receiver(Script(Answer(500), OK)) as receiver:
        statuses = [asked(receiver)[9:12] for _ in range(3)]
    assert statuses == [b"500", b"200", b"200"]


def test_misbehaviour_at_random_is_the_same_for_the_same_seed_and_has_every_sort() -> None:
    first, again = misbehaving(7), misbehaving(7)
    drawn = [first() for _ in range(400)]
    assert [again() for _ in range(400)] == drawn
    sorts = {each if isinstance(each, Fault) else each.status for each in drawn}
    wanted = {200, 429, 500, Fault.HANG, Fault.DROP_BEFORE, Fault.DROP_AFTER, Fault.TAKE_AND_DROP}
    assert wanted <= sorts
