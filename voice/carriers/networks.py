"""Which addresses a trunk may use: never the SBC itself, never outside what the region's operator allows."""

import ipaddress
import re
import socket
from collections.abc import Container, Iterable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as TookTooLong

from django.utils.translation import gettext as _

from tenants.models import Region

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# Private address space of organisations is the region's business; these are never a carrier's.
NEVER = [ipaddress.ip_network(text) for text in ("0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3")] + [
    ipaddress.ip_network(text) for text in ("::/127", "fe80::/10", "ff00::/8")
]
# What a region that names no networks leaves out besides: addresses that the public network does not lead to.
NOT_PUBLIC = [
    ipaddress.ip_network(text)
    for text in (
        "10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
    )
]  # fmt: skip
EVERYWHERE = [ipaddress.ip_network("0.0.0.0/0")]
# The last label begins with a letter: 127.1, 2130706433 and 0x7f.1, which resolvers take for 127.0.0.1, are no names.
HOST_NAME = re.compile(r"(?=.{4,253}\Z)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?")
LOCAL_NAMES = ("localhost", "local", "localdomain", "internal")
RESOLVE_SECONDS = 2.0
_resolvers = ThreadPoolExecutor(4, thread_name_prefix="resolve")


def normal_host(text: str) -> str:
    """Return the host in one spelling: lower case, no brackets, no last dot, addresses in their short form."""
    host = text.strip().lower().strip("[]").rstrip(".")
    address = as_address(host)
    return str(address) if address else host


def as_address(text: str) -> Address | None:
    """Return the address that the text spells, or None for a name; an IPv4 address inside IPv6 counts as IPv4."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def name_refusal(host: str) -> str:
    """Return why the host name cannot be a trunk's, or nothing."""
    if host in LOCAL_NAMES or host.rsplit(".", 1)[-1] in LOCAL_NAMES:
        return _("%(host)s is a name of the SBC's own machine or network. Enter the carrier's host.") % {"host": host}
    if not HOST_NAME.fullmatch(host):
        return _("Enter an IPv4 address or a full host name, for example sip.carrier.example.")
    return ""


def is_beyond(address: Address, allowed: Iterable[str]) -> bool:
    """Return whether no SBC takes the address for a trunk's: IPv6, or its own where its region does not name that."""
    forbidden = next((network for network in NEVER if address in network), None)
    # A lab may allow a part of loopback by name; a wide 0.0.0.0/0 must not let it in by accident.
    named = forbidden and any(address in each and _within(each, forbidden) for each in networks(allowed))
    return address.version == 6 or bool(forbidden and not named)


def address_refusal(address: Address, region: Region, own: Container[str] = ()) -> str:
    """Return why a trunk may not use the address in the region, whose SBCs' `own` addresses are these, or nothing."""
    if address.version == 6:
        return _(
            "%(address)s is an IPv6 address. SBCs reach trunks by IPv4 only: enter the carrier's IPv4 address."
        ) % {"address": address}
    facts = {"address": address, "region": region.name}
    if str(address) in own:
        return _("%(address)s is the address of an SBC of the region %(region)s. Enter the carrier's address.") % facts
    allowed, denied = networks(region.allowed_networks), networks(region.denied_networks)
    hit = next((network for network in denied if address in network), None)
    if hit:
        return _("%(address)s lies in a network that trunks may not use in the region %(region)s.") % facts
    if any(address in network for network in networks(region.microsoft_networks)):
        return _("%(address)s belongs to Microsoft's signalling, not to a carrier.") % facts
    if is_beyond(address, region.allowed_networks):
        return (
            _("%(address)s is an address of the SBC itself (loopback or link-local). Enter the carrier's address.")
            % facts
        )
    inside = any(address in network for network in allowed or EVERYWHERE)
    if not inside or (not allowed and any(address in network for network in NOT_PUBLIC)):
        return _("%(address)s is outside the networks that trunks may use in the region %(region)s.") % facts
    return ""


def for_nodes(allowed: Iterable[str], denied: Iterable[str], microsoft: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return the networks that a trunk's address has to lie in, and those that it must not lie in.

    A node asks for no more than these two whenever it has looked a name up, and so refuses what `address_refusal` does.
    """
    named, other = networks(allowed), [*networks(denied)]
    inside = named or EVERYWHERE
    other += [each for each in networks(microsoft) if any(_overlap(each, network) for network in inside)]
    for each in NEVER if named else [*NEVER, *NOT_PUBLIC]:
        if any(each != network and _within(each, network) for network in inside):
            other += _without(each, [network for network in inside if _within(network, each)])
    return [str(each) for each in inside], [str(each) for each in other]


def networks(texts: Iterable[str]) -> list[Network]:
    """Return the networks that the texts spell."""
    return [ipaddress.ip_network(text, strict=False) for text in texts]


def _within(network: Network, outer: Network) -> bool:
    return network.version == outer.version and network.subnet_of(outer)  # type: ignore[arg-type]


def _overlap(one: Network, other: Network) -> bool:
    return one.version == other.version and one.overlaps(other)


def _without(network: Network, holes: Iterable[Network]) -> list[Network]:
    """Return what is left of a network without some that lie in it."""
    left = [network]
    for hole in holes:
        parts = [each.address_exclude(hole) if _within(hole, each) else [each] for each in left]  # type: ignore[arg-type]
        left = [part for some in parts for part in some if not _within(part, hole)]
    return left


def addresses_of(host: str) -> list[Address]:
    """Return the addresses that the name has now, or none when no answer comes in time."""
    try:
        found = _resolvers.submit(socket.getaddrinfo, host, None, type=socket.SOCK_STREAM).result(RESOLVE_SECONDS)
    except (OSError, UnicodeError, TookTooLong):
        return []
    addresses = [as_address(str(entry[4][0]).split("%")[0]) for entry in found]
    return list(dict.fromkeys(address for address in addresses if address))
