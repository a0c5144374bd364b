"""SDP: the one audio stream that a call has, with SDES keys where the profile is secure."""

import base64
import re
import secrets
from dataclasses import dataclass, field

from lab.uri import is_address

SUITE = "AES_CM_128_HMAC_SHA1_80"
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
CODECS = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000", 18: "G729/8000", 101: "telephone-event/8000"}


class SdpError(ValueError):
    """A description that breaks the grammar."""


@dataclass(frozen=True)
class Crypto:
    """One a=crypto line."""

    tag: int
    suite: str
    key: bytes

    def __str__(self) -> str:
        return f"{self.tag} {self.suite} inline:{base64.b64encode(self.key).decode()}|2^31"


def new_crypto() -> Crypto:
    """Make a key and salt of the one suite that Microsoft and the SBC agree on."""
    return Crypto(1, SUITE, secrets.token_bytes(30))


@dataclass
class Sdp:
    """A session with one audio stream."""

    address: str
    port: int
    profile: str = "RTP/AVP"
    payloads: list[int] = field(default_factory=lambda: [0, 8, 101])
    cryptos: list[Crypto] = field(default_factory=list)
    direction: str = "sendrecv"
    session_id: int = 1
    version: int = 1
    mux: bool = False
    attributes: list[str] = field(default_factory=list)

    def encode(self) -> bytes:
        """Write the description."""
        lines = [
            "v=0",
            f"o=- {self.session_id} {self.version} IN IP4 {self.address}",
            "s=session",
            f"c=IN IP4 {self.address}",
            "t=0 0",
            f"m=audio {self.port} {self.profile} {' '.join(map(str, self.payloads))}",
        ]
        lines += [f"a=rtpmap:{payload} {CODECS[payload]}" for payload in self.payloads if payload in CODECS]
        if 101 in self.payloads:
            lines.append("a=fmtp:101 0-16")
        lines += [f"a=crypto:{crypto}" for crypto in self.cryptos]
        lines += [f"a={attribute}" for attribute in self.attributes]
        if self.mux:
            lines.append("a=rtcp-mux")
        lines += [f"a={self.direction}", "a=ptime:20", ""]
        return "\r\n".join(lines).encode()


def parse(body: bytes) -> Sdp:
    """Read a description, or raise SdpError."""
    if len(body) > 32_768:
        raise SdpError("too long")
    try:
        lines = body.decode("utf-8").replace("\r\n", "\n").strip("\n").split("\n")
    except UnicodeDecodeError as error:
        raise SdpError("not UTF-8") from error
    if not lines or lines[0] != "v=0" or any(len(line) < 2 or line[1] != "=" for line in lines):
        raise SdpError("not an SDP")
    session: dict[str, str] = {}
    media: list[str] = []
    audio: dict[str, str] = {}
    for line in lines:
        kind, value = line[0], line[2:]
        if kind == "m":
            media.append(value)
        elif kind != "a":
            (audio if media else session)[kind] = value
        elif len(media) <= 1:
            _attribute(value, audio)
    if len(media) != 1:
        raise SdpError(f"{len(media)} media streams, expected one")
    return _build(session, audio, media[0], lines)


def _attribute(value: str, audio: dict[str, str]) -> None:
    if value in DIRECTIONS:
        audio["direction"] = value
    elif value == "rtcp-mux":
        audio["mux"] = "1"


def _build(session: dict[str, str], audio: dict[str, str], media: str, lines: list[str]) -> Sdp:
    stream = re.match(r"^audio ([0-9]{1,5})(?:/1)? (\S+)((?: [0-9]{1,3})+)$", media)
    connection = (audio.get("c") or session.get("c", "")).split(" ")
    origin = session.get("o", "").split(" ")
    if not stream or int(stream.group(1)) > 65535:
        raise SdpError(f"bad media line: {media[:80]!r}")
    if len(connection) != 3 or connection[:2] != ["IN", "IP4"] or not is_address(connection[2]):
        raise SdpError("no usable c= line")
    if len(origin) != 6 or not origin[1].isdigit() or not origin[2].isdigit():
        raise SdpError("bad o= line")
    return Sdp(
        address=connection[2],
        port=int(stream.group(1)),
        profile=stream.group(2),
        payloads=[int(payload) for payload in stream.group(3).split()],
        cryptos=[parse_crypto(line[9:]) for line in lines if line.startswith("a=crypto:")],
        direction=audio.get("direction", "sendrecv"),
        session_id=int(origin[1][:20]),
        version=int(origin[2][:20]),
        mux="mux" in audio,
        attributes=[line[2:] for line in lines if line.startswith(("a=candidate:", "a=fingerprint:", "a=ice-"))],
    )


def parse_crypto(text: str) -> Crypto:
    """Read the value of an a=crypto line."""
    match = re.match(r"^([0-9]{1,9}) ([A-Za-z0-9_]+) inline:([A-Za-z0-9+/=]+)(\|[^ ]*)?( .*)?$", text)
    if not match:
        raise SdpError("bad a=crypto line")
    try:
        key = base64.b64decode(match.group(3), validate=True)
    except ValueError as error:
        raise SdpError("bad key in a=crypto") from error
    return Crypto(int(match.group(1)), match.group(2), key)
