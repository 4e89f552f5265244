"""Parse a mailbox: a display name, and an address whose domain is ASCII."""

from dataclasses import dataclass
from email.utils import unquote

import idna

from contractwatch.errors import ChannelError


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A display name, which may be empty, and an address with an ASCII domain."""

    name: str
    local: str
    domain: str

    @property
    def address(self) -> str:
        """The bare address, as the envelope has it."""
        return f"{self.local}@{self.domain}"

    @property
    def needs_utf8(self) -> bool:
        """Whether only a server with SMTPUTF8 can take it."""
        return not self.local.isascii()


def parse_mailbox(written: str) -> Mailbox:
    """Read `a@example.org` or `Name <a@example.org>`.

    Raises:
        ChannelError: If it is no address, or more than one; no retry mends that.
    """
    before, _, last = written.rpartition("<")
    name, address = ("", written)
    if "<" in written and last.endswith(">"):
        name, address = before.strip(), last[:-1]
    is_quoted = len(name) > 1 and name.startswith('"') and name.endswith('"')
    is_one = written.isprintable() and (is_quoted or not set(name) & set('<>,;"'))
    local, _, domain = address.strip().rpartition("@")
    # a local part that looks like an encoded word would be decoded by whoever shows the header
    is_whole = local and domain and "=?" not in local and not set(local + domain) & set('<>,;@" ')
    if not is_one or not is_whole:
        raise ChannelError(
            f"{written!r} is not one e-mail address; write name@example.org or "
            "'Name <name@example.org>', and several as a list",
            retryable=False,
            reason="config",
        )
    return Mailbox(unquote(name) if is_quoted else name, local, _ascii_domain(domain, written))


def _ascii_domain(domain: str, written: str) -> str:
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        raise ChannelError(
            f"{written!r} has a domain that does not exist in DNS's spelling (IDNA)",
            retryable=False,
            reason="config",
        ) from None
