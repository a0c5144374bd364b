"""SIP messages as tests write and read them."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

SDP = """v=0
o=- 1 1 IN IP4 {address}
s=-
c=IN IP4 {address}
t=0 0
m=audio {port} RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=sendrecv
""".replace("\n", "\r\n")

SRTP_SDP = """v=0
o=- 1 1 IN IP4 {address}
s=-
c=IN IP4 {address}
t=0 0
m=audio {port} RTP/SAVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz|2^31
a=sendrecv
""".replace("\n", "\r\n")


@dataclass
class Message:
    """One SIP message, its headers in order."""

    start: str
    headers: list[tuple[str, str]]
    body: str = ""
    answer: Callable[[bytes], None] | None = field(default=None, repr=False, compare=False)

    @classmethod
    def parse(cls, data: bytes) -> "Message":
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        start, *lines = re.sub(r"\r\n[ \t]+", " ", head).split("\r\n")
        headers = [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        return cls(start, headers, body)

    def build(self) -> bytes:
        kept = [f"{name}: {value}" for name, value in self.headers if name.lower() != "content-length"]
        head = "\r\n".join([self.start, *kept, f"Content-Length: {len(self.body.encode())}"])
        return f"{head}\r\n\r\n{self.body}".encode()

    @property
    def method(self) -> str:
        return "" if self.is_response else self.start.split(" ", 1)[0]

    @property
    def uri(self) -> str:
        return self.start.split(" ")[1]

    @property
    def is_response(self) -> bool:
        return self.start.startswith("SIP/2.0")

    @property
    def code(self) -> int:
        return int(self.start.split(" ")[1]) if self.is_response else 0

    @property
    def cseq_method(self) -> str:
        return (self.get("CSeq") or " ").split()[1]

    def all(self, name: str) -> list[str]:
        return [value for each, value in self.headers if each.lower() == name.lower()]

    def get(self, name: str) -> str:
        return next(iter(self.all(name)), "")

    @property
    def contact_uri(self) -> str:
        match = re.search(r"<([^>]*)>", self.get("Contact"))
        return match[1] if match else self.get("Contact")

    def text(self) -> str:
        return self.build().decode()
