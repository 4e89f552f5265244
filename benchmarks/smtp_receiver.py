"""An SMTP receiver on 127.0.0.1 that misbehaves on purpose."""

import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType


class SmtpFault(Enum):
    """Where a conversation goes wrong."""

    NONE = "takes every mail"
    HANG = "accepts the connection, then says nothing"
    DRIP = "greets a byte at a time"
    BUSY = "greets with 421"
    NOT_SMTP = "greets with something that is not SMTP"
    GREYLIST = "answers 451 to recipients"
    NO_SUCH_USER = "answers 550 to recipients"
    ONE_UNKNOWN = "answers 550 to the first recipient only"
    DATA_REFUSED = "answers 554 to the mail itself"
    BAD_PASSWORD = "answers 535 to the password"
    DROP = "closes in the middle"
    RESET = "resets at once"
    TAKE_AND_DROP = "takes the mail, answers 250, then closes without waiting for QUIT"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that was taken."""

    sender: str
    recipients: tuple[str, ...]
    data: bytes


@dataclass
class SmtpReceiver:
    """A server while its context is open; `tls` makes it offer STARTTLS.

    `answers` are codes for single mailboxes, by bare address; `logins` what AUTH offers.
    """

    fault: SmtpFault = SmtpFault.NONE
    tls: ssl.SSLContext | None = None
    offers_login: bool = False
    offers_utf8: bool = True
    logins: str = "PLAIN"
    answers: dict[str, str] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    port: int = 0
    connections: int = 0

    def __enter__(self) -> "SmtpReceiver":
        self._closing = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=16)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="smtp-receiver", daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(30)
        try:
            if self._greet(connection):
                _Conversation(self, connection).hold()
        except OSError:
            pass  # the other side went away
        finally:
            connection.close()

    def _greet(self, connection: socket.socket) -> bool:
        if self.fault is SmtpFault.HANG:
            self._closing.wait(30)
        elif self.fault is SmtpFault.RESET:
            linger = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        elif self.fault is SmtpFault.BUSY:
            connection.sendall(b"421 too busy\r\n")
        elif self.fault is SmtpFault.NOT_SMTP:
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        elif self.fault is SmtpFault.DRIP:
            for byte in b"220 " + b"x" * 1_000:
                if self._closing.wait(0.05):
                    break
                connection.sendall(bytes([byte]))
        else:
            connection.sendall(b"220 mail.example.com ESMTP\r\n")
            return True
        return False


class _Conversation:
    """One client's commands, answered one after the other."""

    def __init__(self, receiver: SmtpReceiver, connection: socket.socket) -> None:
        self._receiver = receiver
        self._connection = connection
        self._file = connection.makefile("rb")
        self._sender = ""
        self._recipients: list[str] = []
        self._refused = 0
        self._encrypted = False

    def hold(self) -> None:
        answers = {
            "EHLO": self._ehlo,
            "STARTTLS": self._starttls,
            "AUTH": self._auth,
            "MAIL": self._mail,
            "RCPT": self._rcpt,
            "DATA": self._data,
            "RSET": lambda _: self._say("250 reset"),
        }
        for raw in iter(self._file.readline, b""):
            line = raw.decode("utf-8", "replace").strip()
            self._receiver.lines.append(line)
            verb = line.split(" ")[0].upper()
            if verb == "QUIT":
                self._say("221 bye")
                return
            if answers.get(verb, self._unknown)(line):
                return

    def _say(self, answer: str) -> bool:
        """Send a line; False, so that the conversation goes on."""
        self._connection.sendall(f"{answer}\r\n".encode())
        return False

    def _unknown(self, line: str) -> bool:
        return self._say("502 unknown")

    def _ehlo(self, line: str) -> bool:
        offers = ["mail.example.com", "SIZE 1000000", "8BITMIME"]
        if self._receiver.offers_utf8:
            offers.append("SMTPUTF8")
        if self._receiver.tls is not None and not self._encrypted:
            offers.append("STARTTLS")
        if self._receiver.offers_login:
            offers.append(f"AUTH {self._receiver.logins}")
        *most, last = offers
        return self._say("\r\n".join([*(f"250-{each}" for each in most), f"250 {last}"]))

    def _starttls(self, line: str) -> bool:
        if self._receiver.tls is None:
            return self._say("502 no TLS here")
        self._say("220 go on")
        with self._receiver.tls.wrap_socket(self._connection, server_side=True) as connection:
            self._connection = connection
            self._encrypted = True
            with connection.makefile("rb") as self._file:
                self.hold()
        return True

    def _auth(self, line: str) -> bool:
        wrong = self._receiver.fault is SmtpFault.BAD_PASSWORD
        return self._say(f"535 {line} is not right" if wrong else "235 welcome")

    def _mail(self, line: str) -> bool:
        self._sender, self._recipients, self._refused = line, [], 0
        return self._say("250 sender fine")

    def _rcpt(self, line: str) -> bool:
        fault = self._receiver.fault
        if fault is SmtpFault.GREYLIST:
            return self._say("451 come back later")
        first = not self._recipients and not self._refused
        answer = self._receiver.answers.get(line.partition("<")[2].partition(">")[0], "")
        if answer:
            self._refused += 1
            return self._say(answer)
        if fault is SmtpFault.NO_SUCH_USER or (fault is SmtpFault.ONE_UNKNOWN and first):
            self._refused += 1
            return self._say("550 no such user")
        self._recipients.append(line)
        return self._say("250 recipient fine")

    def _data(self, line: str) -> bool:
        if self._receiver.fault is SmtpFault.DROP:
            return True
        self._say("354 go on")
        data = b""
        for raw in iter(self._file.readline, b".\r\n"):
            if not raw:
                return True
            data += raw
        if self._receiver.fault is SmtpFault.DATA_REFUSED:
            return self._say("554 looks like spam")
        self._receiver.mails.append(Mail(self._sender, tuple(self._recipients), data))
        self._say("250 taken")
        return self._receiver.fault is SmtpFault.TAKE_AND_DROP
