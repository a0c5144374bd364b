"""Where one SBC node listens, what it runs and where its files are."""

import ipaddress
import os
import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self


def _program(name: str) -> str:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin") or name


LOOPBACK = ipaddress.ip_network("127.0.0.0/8")
NOBODYS = tuple(ipaddress.ip_network(text) for text in ("0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3"))
PORTS_OF_A_CALL = 4  # RTP and RTCP on either side
FOR_EMERGENCY = 0.1  # the share of the media ports that ordinary calls never take


@dataclass(frozen=True)
class NodeSettings:
    """Addresses, ports, directories and certificate paths of one node; the defaults are the lab's."""

    directory: Path = Path("/var/lib/strowger/node")

    # What the world sees, and what only this machine may reach.
    address: str = "127.0.5.1"
    inside: str = "127.0.5.1"
    microsoft_port: int = 5061  # HAProxy, TLS
    carrier_port: int = 5060  # UDP: Kamailio, TCP: HAProxy
    proxied_port: int = 5090  # Kamailio behind HAProxy: Microsoft
    proxied_carrier_port: int = 5093  # Kamailio behind HAProxy: carriers over TCP
    rpc_port: int = 5091
    tls_port: int = 5092  # Kamailio's own TLS, which only dials out
    ng_port: int = 2223
    media_low: int = 30000
    media_high: int = 34999

    # The PEM (chain and key) that this node shows to Microsoft, further ones by name, and the roots it trusts.
    certificate: Path = Path("/var/lib/strowger/node/tls/node.pem")
    microsoft_roots: Path = Path("/var/lib/strowger/node/tls/microsoft-roots.pem")
    microsoft_names: tuple[str, ...] = ("pstnhub.microsoft.com",)

    # Times in seconds.
    microsoft_options_every: int = 60
    trunk_options_every: int = 15
    probe_misses: int = 3
    down_for: int = 30
    trunk_silence: float = 2.0
    microsoft_silence: float = 4.0
    ring_for: int = 180
    help_rings_in: int = 20  # until a trunk that took an emergency call has told of it, while another one is left
    longest_call: int = 12 * 3600
    media_silence: int = 60  # without a packet from either end, until rtpengine gives a call up
    media_silence_on_hold: int = 7200

    # What this machine carries before it answers 503 with Retry-After; never more calls than there are media ports for.
    node_cps: int = 1500
    node_channels: int = 10000

    udp_workers: int = 4
    proxied_workers: int = 4
    shared_memory_mb: int = 512
    private_memory_mb: int = 256  # for the dump of a large table; only what is used is taken
    table_bits: int = 16  # slots of the largest table, as a power of two

    kamailio: str = field(default_factory=lambda: _program("kamailio"))
    rtpengine: str = field(default_factory=lambda: _program("rtpengine"))
    haproxy: str = field(default_factory=lambda: _program("haproxy"))

    def but(self, **changes: Any) -> Self:
        """Return a copy with some values changed."""
        return replace(self, **changes)

    @property
    def on_loopback(self) -> bool:
        """Return whether this is a laboratory, whose carriers live on loopback, too."""
        return self.address.startswith("127.")

    @property
    def own_addresses(self) -> tuple[str, ...]:
        """Return the addresses that this node listens at."""
        return tuple(dict.fromkeys((self.address, self.inside)))

    def is_own(self, address: str) -> bool:
        """Return whether the address is this machine's, or one of none: never a carrier's."""
        found = ipaddress.ip_address(address)
        nowhere = NOBODYS if self.on_loopback else (*NOBODYS, LOOPBACK)
        return address in self.own_addresses or any(found in network for network in nowhere)

    @property
    def most_calls(self) -> int:
        """Return how many calls may run before only emergency calls pass, which always find media ports."""
        ports = self.media_high - self.media_low + 1
        return min(self.node_channels, int(ports / PORTS_OF_A_CALL * (1 - FOR_EMERGENCY)))

    @property
    def run(self) -> Path:
        """Return where sockets, generated configuration and process ids are."""
        return self.directory / "run"

    @property
    def records(self) -> Path:
        """Return where Kamailio writes its record lines."""
        return self.directory / "records"

    @property
    def secrets(self) -> Path:
        """Return where the node keeps the keys it made for itself."""
        return self.directory / "secrets"

    @property
    def rpc_socket(self) -> Path:
        """Return Kamailio's JSON-RPC datagram socket."""
        return self.run / "rpc.sock"

    @property
    def haproxy_socket(self) -> Path:
        """Return HAProxy's runtime socket."""
        return self.run / "haproxy.sock"

    @property
    def boot_database(self) -> Path:
        """Return the SQLite file from which Kamailio loads its rows at start."""
        return self.directory / "boot.sqlite"

    @property
    def names(self) -> Path:
        """Return the file that says where the names of trunks led when they were last known."""
        return self.directory / "names.json"

    @property
    def dialog_database(self) -> Path:
        """Return the SQLite file in which calls wait while Kamailio restarts as planned."""
        return self.directory / "dialogs.sqlite"
