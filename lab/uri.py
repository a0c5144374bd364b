"""SIP addresses: URIs, the name-addr form around them, and lists of those."""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

USER = re.compile(r"^[A-Za-z0-9_.!~*'()&=+$,;?/%:#-]+$")
HOST = re.compile(r"^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)$")
TOKEN = re.compile(r"^[A-Za-z0-9\-.!%*_+`'~\[\]/:&$]+$")


class SipError(ValueError):
    """A message or a part of it that breaks the grammar."""


@dataclass(frozen=True)
class Uri:
    """A sip, sips or tel URI."""

    scheme: str
    user: str
    host: str
    port: int | None = None
    params: Mapping[str, str | None] = field(default_factory=dict)
    headers: str = ""

    def __str__(self) -> str:
        if self.scheme == "tel":
            text = f"tel:{self.user}"
        else:
            text = f"{self.scheme}:{self.user}{'@' if self.user else ''}{self.host}"
        if self.port is not None:
            text += f":{self.port}"
        text += format_params(self.params)
        return f"{text}?{self.headers}" if self.headers else text

    @property
    def is_ip(self) -> bool:
        """Tell whether the host is an address and not a name."""
        # 127.1 and 2130706433 are addresses to many resolvers; no domain name ends in an all-digit label.
        return self.host.startswith("[") or is_address(self.host) or self.host.rstrip(".").rsplit(".")[-1].isdigit()

    @property
    def number(self) -> str:
        """Return the user part without its parameters."""
        return self.user.split(";")[0]


@dataclass(frozen=True)
class NameAddr:
    """A URI with a display name and header parameters, as in From, Contact or Record-Route."""

    uri: Uri
    display: str = ""
    params: Mapping[str, str | None] = field(default_factory=dict)

    def __str__(self) -> str:
        shown = '"' + self.display.replace("\\", "\\\\").replace('"', '\\"') + '" ' if self.display else ""
        return f"{shown}<{self.uri}>{format_params(self.params)}"

    @property
    def tag(self) -> str:
        """Return the tag, or an empty text."""
        return self.params.get("tag") or ""


def is_address(host: str) -> bool:
    """Tell whether the text is an IP address."""
    try:
        ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def format_params(params: Mapping[str, str | None]) -> str:
    """Write parameters in their ;name=value form."""
    return "".join(f";{name}" if value is None else f";{name}={value}" for name, value in params.items())


def parse_params(text: str) -> dict[str, str | None]:
    """Read ;name=value parameters; a name may stand once."""
    found: dict[str, str | None] = {}
    for part in split_outside_quotes(text, ";"):
        name, equals, value = part.partition("=")
        name = name.strip().lower()
        if not TOKEN.match(name) or name in found:
            raise SipError(f"bad or repeated parameter {name[:40]!r}")
        found[name] = value.strip() if equals else None
    return found


def parse_uri(text: str) -> Uri:
    """Read a sip, sips or tel URI."""
    text = text.strip()
    scheme, colon, rest = text.partition(":")
    scheme = scheme.lower()
    if not colon or scheme not in ("sip", "sips", "tel") or any(c in rest for c in ' "<>\t'):
        raise SipError(f"not a SIP URI: {text[:80]!r}")
    if scheme == "tel":
        number, _, params = rest.partition(";")
        if not re.match(r"^\+?[0-9*#().-]+$", number):
            raise SipError(f"not a telephone number: {number[:40]!r}")
        return Uri("tel", number, "", None, parse_params(params))
    rest, _, headers = rest.partition("?") if "@" not in rest else _after_user(rest)
    user, at, place = rest.rpartition("@")
    if at and (not user or not USER.match(user)):
        raise SipError(f"bad or empty user part: {text[:80]!r}")
    place, _, params = place.partition(";")
    host, port = parse_host_port(place)
    return Uri(scheme, user, host, port, parse_params(params), headers)


def _after_user(rest: str) -> tuple[str, str, str]:
    at = rest.rindex("@")
    place, mark, headers = rest[at:].partition("?")
    return rest[:at] + place, mark, headers


def parse_host_port(text: str) -> tuple[str, int | None]:
    """Read host[:port]; the host is returned in lower case."""
    host, port = text, ""
    match = re.match(r"^(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?$", text)
    if match:
        host, port = match.group(1), match.group(2) or ""
    if not match or not HOST.match(host) or (port and not 0 < int(port) < 65536):
        raise SipError(f"bad host or port: {text[:80]!r}")
    return host.lower(), int(port) if port else None


def split_outside_quotes(text: str, separator: str) -> list[str]:
    """Cut at the separator where it stands outside quotes and angle brackets; empty parts vanish."""
    parts, start, quoted, depth, escaped = [], 0, False, 0, False
    for index, char in enumerate(text):
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"' and not depth:
            quoted = not quoted
        elif not quoted and char == "<":
            depth += 1
        elif not quoted and char == ">":
            depth -= 1
        elif char == separator and not quoted and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    if quoted or depth:
        raise SipError("unbalanced quotes or brackets")
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def parse_name_addr(text: str) -> NameAddr:
    """Read one address of From, To, Contact, Record-Route and their like."""
    text = text.strip()
    if "<" not in text:
        # Without brackets, parameters belong to the header and not to the URI.
        address, _, params = text.partition(";")
        return NameAddr(parse_uri(address), "", parse_params(params))
    display, rest = _display(text)
    if not rest.startswith("<") or ">" not in rest:
        raise SipError(f"bad address: {text[:80]!r}")
    inside, _, after = rest[1:].partition(">")
    after = after.strip()
    if after and not after.startswith(";"):
        raise SipError(f"bad address: {text[:80]!r}")
    return NameAddr(parse_uri(inside), display, parse_params(after))


def _display(text: str) -> tuple[str, str]:
    if not text.startswith('"'):
        name, _, rest = text.partition("<")
        return name.strip(), "<" + rest
    match = re.match(r'^"((?:[^"\\]|\\.)*)"\s*', text, re.DOTALL)
    if not match:
        raise SipError(f"bad display name: {text[:80]!r}")
    return re.sub(r"\\(.)", r"\1", match.group(1)), text[match.end() :]


def parse_list(values: list[str]) -> list[NameAddr]:
    """Read the addresses of all lines of a header, in order."""
    return [parse_name_addr(part) for value in values for part in split_outside_quotes(value, ",")]
