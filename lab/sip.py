"""SIP messages: a small strict reader and writer that hostile input cannot hurt."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from lab.uri import NameAddr, SipError, Uri, parse_host_port, parse_list, parse_name_addr, parse_params, parse_uri

MAX_MESSAGE = 65_535
MAX_HEADERS = 200
COMPACT = {
    "c": "content-type", "e": "content-encoding", "f": "from", "i": "call-id", "k": "supported", "l": "content-length",
    "m": "contact", "s": "subject", "t": "to", "v": "via", "r": "refer-to", "b": "referred-by", "x": "session-expires",
}  # fmt: skip
ONCE = ("from", "to", "call-id", "cseq", "max-forwards", "content-length", "content-type")
NAME = re.compile(r"^[A-Za-z0-9\-.!%*_+`'~]+$")
METHOD = re.compile(r"^[A-Z]{1,32}$")
REASONS = {
    100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 400: "Bad Request", 401: "Unauthorized",
    403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed", 407: "Proxy Authentication Required",
    408: "Request Timeout", 416: "Unsupported URI Scheme", 480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist", 486: "Busy Here", 487: "Request Terminated", 488: "Not Acceptable Here",
    500: "Server Internal Error", 503: "Service Unavailable", 600: "Busy Everywhere", 603: "Decline",
}  # fmt: skip


@dataclass(frozen=True)
class Via:
    """One line of Via."""

    protocol: str
    host: str
    port: int | None
    params: dict[str, str | None]


@dataclass
class Message:
    """What requests and responses have in common: headers in order, and a body."""

    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def all(self, name: str) -> list[str]:
        """Return the values of every header of that name."""
        name = name.lower()
        return [value for key, value in self.headers if key.lower() == name]

    def get(self, name: str) -> str:
        """Return the first header of that name, or an empty text."""
        return next(iter(self.all(name)), "")

    def add(self, name: str, value: object) -> Self:
        """Append a header."""
        self.headers.append((name, str(value)))
        return self

    def addresses(self, name: str) -> list[NameAddr]:
        """Return the addresses in every header of that name, in order."""
        return parse_list(self.all(name))

    @property
    def call_id(self) -> str:
        """Return the Call-ID."""
        return self.get("Call-ID")

    @property
    def cseq(self) -> tuple[int, str]:
        """Return the sequence number and its method."""
        return parse_cseq(self.get("CSeq"))

    @property
    def from_(self) -> NameAddr:
        """Return the sender."""
        return parse_name_addr(self.get("From"))

    @property
    def to(self) -> NameAddr:
        """Return the addressee."""
        return parse_name_addr(self.get("To"))

    @property
    def via(self) -> Via:
        """Return the topmost Via."""
        return parse_via(self.get("Via"))

    @property
    def branch(self) -> str:
        """Return the topmost Via's branch."""
        return self.via.params.get("branch") or ""

    @property
    def start_line(self) -> str:
        """Return the first line."""
        raise NotImplementedError

    def encode(self) -> bytes:
        """Write the message; a header that would break out of its line is refused."""
        lines = [self.start_line]
        lines += [f"{name}: {value}" for name, value in self.headers if name.lower() != "content-length"]
        lines.append(f"Content-Length: {len(self.body)}")
        if any(char in line for line in lines for char in "\r\n\0"):
            raise SipError("a header contains a line break")
        return "\r\n".join([*lines, "", ""]).encode() + self.body

    def __str__(self) -> str:
        return self.encode().decode(errors="replace")


@dataclass
class Request(Message):
    """A request."""

    method: str = ""
    uri: Uri = field(default_factory=lambda: Uri("sip", "", "invalid"))

    @property
    def start_line(self) -> str:
        """Return the first line."""
        return f"{self.method} {self.uri} SIP/2.0"


@dataclass
class Response(Message):
    """A response."""

    status: int = 0
    reason: str = ""

    @property
    def start_line(self) -> str:
        """Return the first line."""
        return f"SIP/2.0 {self.status} {self.reason}"


def respond(request: Request, status: int, reason: str = "", *, tag: str = "") -> Response:
    """Begin the response to a request: Via, From, To, Call-ID and CSeq come from it."""
    response = Response(status=status, reason=reason or REASONS.get(status, "Unknown"))
    for name in ("Via", "From", "To", "Call-ID", "CSeq"):
        for value in request.all(name):
            if name == "To" and tag and status > 100 and not request.to.tag:
                value += f";tag={tag}"
            response.add(name, value)
    return response


def new_branch() -> str:
    """Make a branch that no other transaction has."""
    return "z9hG4bK" + secrets.token_hex(8)


def new_tag() -> str:
    """Make a tag."""
    return secrets.token_hex(5)


def parse_cseq(text: str) -> tuple[int, str]:
    """Read a CSeq."""
    match = re.match(r"^([0-9]{1,10})\s+([A-Z]{1,32})$", text)
    if not match or int(match.group(1)) >= 2**31:
        raise SipError(f"bad CSeq: {text[:40]!r}")
    return int(match.group(1)), match.group(2)


def parse_via(text: str) -> Via:
    """Read the first value of a Via line."""
    match = re.match(r"^SIP\s*/\s*2\.0\s*/\s*([A-Za-z]+)\s+([^\s;,]+)\s*((?:;[^,]*)?)", text)
    if not match:
        raise SipError(f"bad Via: {text[:80]!r}")
    host, port = parse_host_port(match.group(2))
    return Via(match.group(1).upper(), host, port, parse_params(match.group(3)))


def parse(data: bytes) -> Request | Response:
    """Read one whole message, or raise SipError."""
    if len(data) > MAX_MESSAGE:
        raise SipError("the message is too long")
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        raise SipError("no empty line after the headers")
    try:
        lines = _unfold(head.decode("utf-8").split("\r\n"))
    except UnicodeDecodeError as error:
        raise SipError("not UTF-8") from error
    message = _start(lines[0])
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        name = name.rstrip()
        if not colon or not NAME.match(name):
            raise SipError(f"bad header line: {line[:60]!r}")
        message.headers.append((COMPACT.get(name.lower(), name), value.strip()))
    message.body = body
    _check(message)
    return message


def _unfold(lines: Iterable[str]) -> list[str]:
    unfolded: list[str] = []
    for line in lines:
        if any(char in line for char in "\r\n\0"):
            raise SipError("a stray line break or NUL")
        if line[:1] in (" ", "\t") and unfolded:
            unfolded[-1] += " " + line.strip()
        else:
            unfolded.append(line)
    if len(unfolded) > MAX_HEADERS:
        raise SipError("too many headers")
    return unfolded


def _start(line: str) -> Request | Response:
    words = line.split(" ", 2)
    if len(words) == 3 and words[0] == "SIP/2.0" and re.match(r"^[1-6][0-9]{2}$", words[1]):
        return Response(status=int(words[1]), reason=words[2])
    if len(words) == 3 and words[2] == "SIP/2.0" and METHOD.match(words[0]):
        return Request(method=words[0], uri=parse_uri(words[1]))
    raise SipError(f"bad first line: {line[:80]!r}")


def _check(message: Request | Response) -> None:
    for name in ONCE:
        if len(message.all(name)) > 1:
            raise SipError(f"{name} stands more than once")
    if not message.call_id or not message.branch:
        raise SipError("no Call-ID or no branch")
    _, method = message.cseq
    if not message.from_.tag:
        raise SipError("From has no tag")
    message.to  # noqa: B018  parsing is the check
    for name in ("Contact", "Record-Route", "Route"):
        if name != "Contact" or message.get(name) != "*":
            message.addresses(name)
    if isinstance(message, Request) and method != message.method:
        raise SipError("CSeq names another method")
    declared = content_length(message)
    if declared is not None:
        if declared > len(message.body):
            raise SipError("the body is shorter than Content-Length")
        message.body = message.body[:declared]


def content_length(message: Message) -> int | None:
    """Return the declared length of the body, or None."""
    text = message.get("Content-Length")
    if not text:
        return None
    if not re.match(r"^[0-9]{1,6}$", text):
        raise SipError("bad Content-Length")
    return int(text)


class Framer:
    """Cuts a stream into messages."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> list[Request | Response]:
        """Return the messages that are complete now; after a SipError the stream is lost."""
        self._buffer += data
        found = []
        while (message := self._next()) is not None:
            found.append(message)
        return found

    def _next(self) -> Request | Response | None:
        self._buffer = self._buffer.lstrip(b"\r\n")  # keep-alives
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            if len(self._buffer) > MAX_MESSAGE:
                raise SipError("headers without end")
            return None
        lengths = re.findall(rb"(?im)^(?:content-length|l)[ \t]*:[ \t]*([0-9]{1,6})[ \t]*\r$", self._buffer[: end + 2])
        if len(lengths) != 1:
            raise SipError("a message on a stream needs one Content-Length")
        total = end + 4 + int(lengths[0])
        if total > MAX_MESSAGE:
            raise SipError("the message is too long")
        if len(self._buffer) < total:
            return None
        message, self._buffer = parse(self._buffer[:total]), self._buffer[total:]
        return message
