"""Classify IP addresses: public, private, or forbidden to connect to."""

import ipaddress
from typing import TypeAlias

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA = frozenset(
    {
        ipaddress.ip_address("168.63.129.16"),  # public, yet Azure's own host agent
        ipaddress.ip_address("100.100.100.200"),
        ipaddress.ip_address("fd00:ec2::254"),
    }
)
"""Where clouds tell a machine its secrets, besides the link-local addresses."""

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


def is_public(address: str) -> bool:
    """Return whether the address is one of the public internet.

    An IPv4 address that is wrapped into an IPv6 one (mapped, NAT64) is judged by itself; 6to4 and
    Teredo tunnels are never public.
    """
    inner = _unwrapped(address)
    if isinstance(inner, ipaddress.IPv6Address) and (
        inner.sixtofour or inner.teredo or inner.is_site_local or inner.is_reserved
    ):
        return False
    return inner.is_global and not inner.is_multicast and inner not in _METADATA


def is_forbidden(address: str) -> bool:
    """Return whether nobody's rights reach that far: metadata services, link-local, no one host."""
    inner = _unwrapped(address)
    is_no_host = inner.is_unspecified or inner.is_multicast
    return inner in _METADATA or inner.is_link_local or is_no_host


def _unwrapped(address: str) -> _Address:
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv4Address):
        return found
    if found.ipv4_mapped is not None:
        return found.ipv4_mapped
    if found in _NAT64:
        return ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
    return found
