"""Bodies with one part or several."""

import re

from lab import sip


def mixed(offer: bytes, other: tuple[str, bytes]) -> tuple[str, bytes]:
    """Put an SDP and another part into one body; returns its type and the body."""
    boundary = f"lab-{sip.new_tag()}"
    parts = (("application/sdp", offer), other)
    body = b"".join(f"--{boundary}\r\nContent-Type: {kind}\r\n\r\n".encode() + part + b"\r\n" for kind, part in parts)
    return f'multipart/mixed;boundary="{boundary}"', body + f"--{boundary}--\r\n".encode()


def sdp_of(message: sip.Message) -> bytes:
    """Return the SDP of a message, from a part of its body if it has several, or nothing."""
    kind = message.get("Content-Type")
    if kind.lower().startswith("application/sdp"):
        return message.body
    boundary = re.match(r'^multipart/mixed\s*;.*boundary="?([^";]{1,70})"?', kind, re.IGNORECASE)
    if boundary is None:
        return b""
    for part in (b"\r\n" + message.body).split(b"\r\n--" + boundary[1].encode())[1:-1]:
        head, _, content = part.partition(b"\r\n\r\n")
        if b"application/sdp" in head.lower():
            return content
    return b""
