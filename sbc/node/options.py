"""Whether Kamailio answers an OPTIONS on the port of the carriers, as one of them would see it."""

import secrets
import socket

from sbc.node.settings import NodeSettings


def is_answered(settings: NodeSettings, patience: float = 0.5) -> bool:
    """Send an OPTIONS over UDP and tell whether a 200 comes back within so many seconds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(patience)
        try:
            asker.bind((settings.inside, 0))
            asker.connect((settings.address, settings.carrier_port))
            asker.send(_options(settings))
            return asker.recv(4096).startswith(b"SIP/2.0 200")
        except OSError:
            return False


def _options(settings: NodeSettings) -> bytes:
    mark = secrets.token_hex(8)
    lines = (
        f"OPTIONS sip:{settings.address}:{settings.carrier_port} SIP/2.0",
        f"Via: SIP/2.0/UDP {settings.inside};branch=z9hG4bK{mark};rport",
        f"From: <sip:node@{settings.inside}>;tag={mark}",
        f"To: <sip:{settings.address}>",
        f"Call-ID: {mark}",
        "CSeq: 1 OPTIONS",
        "Max-Forwards: 5",
        "Content-Length: 0",
    )
    return ("\r\n".join(lines) + "\r\n\r\n").encode()
