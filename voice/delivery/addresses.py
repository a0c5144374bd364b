"""Where messages and files may go: to addresses of the public network, and those that the installation allows.

A name is resolved once and the connection goes to that address: a name that changes between look and call reaches
nothing inside.
"""

import ipaddress
import socket
from collections.abc import Sequence

from django.conf import settings
from django.utils.translation import gettext as _

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# What is called global and leads to an IPv4 address that stands in it, which may be one inside: NAT64 (64:ff9b::/96 and
# its neighbour for a network's own), 6to4, and the two old ways to write one. Receivers have addresses of their own.
TRANSLATED = [
    ipaddress.ip_network(each)
    for each in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "::/96", "::ffff:0:0:0/96", "fec0::/10")
]


class NotAllowed(Exception):
    """The address must not be reached from here; the words are fit for the page."""


def address_of(host: str, port: int) -> tuple[str, bool]:
    """Return the address to connect to, and whether it is one of the installation's own allowed networks.

    Raises NotAllowed where the name has none, or one that is not public.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise NotAllowed(_("%(host)s has no address in DNS.") % {"host": host})
    addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    allowed = [_is_allowed(address, settings.DELIVERY_NETWORKS) for address in addresses]
    if not addresses or not all(own or _is_public(address) for address, own in zip(addresses, allowed, strict=True)):
        raise NotAllowed(_("%(host)s is not an address of the public network.") % {"host": host})
    return str(addresses[0]), allowed[0]


def _is_public(address: Address) -> bool:
    return address.is_global and not any(address in network for network in TRANSLATED)


def _is_allowed(address: Address, networks: Sequence[str]) -> bool:
    return any(address in ipaddress.ip_network(network) for network in networks)
