"""The lines that Kamailio writes to disk for the money, and how they become a call record.

Each worker process of Kamailio appends to its own file. A line is the seven columns of the acc module and then ours, in
which every text that somebody else chose is percent-encoded. One call has one id in all of its lines:

    l  a leg was tried and is over          a  the call was answered: everything that is known by then
    f  the call was refused or failed       e  an answered call ended
    o  an end without a dialog (after a crash); its id comes from the signed Contact parameter
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any
from urllib.parse import parse_qsl

from sbc.node import sound
from sbc.protocol_items import CAUSES

COLUMNS_OF_ACC = 7
DELIMITER = b"|"


@dataclass(frozen=True)
class Facts:
    """What a call is: who, whom, which way, under which policy."""

    tenant: int = 0
    peer: int = 0
    msp: int = 0
    direction: str = ""
    call_id: str = ""
    caller: str = ""
    caller_sent: str = ""
    called: str = ""
    called_sent: str = ""
    invited: int = 0
    ringing: int | None = None
    ingress: str = ""
    egress: str = ""
    route: int = 0
    generation: int = 0
    screening: str = "none"
    attestation: str = ""
    user_agent: str = ""


@dataclass(frozen=True)
class Leg:
    """One try over one trunk (or Microsoft name) that did not become the call."""

    id: str
    trunk: str
    sent: int
    ended: int
    code: int
    reason: str = ""
    # Microseconds: of two tries in one millisecond these tell which came first.
    turn: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Answered:
    """An answered call, as it was known at the moment of answer."""

    id: str
    at: int
    sent: int
    code: int
    facts: Facts
    dialog: str = ""  # what Kamailio calls it: "1234.5678"
    tag: str = ""  # the caller's


@dataclass(frozen=True)
class Failed:
    """A call that never was answered: refused by us, by the other side, or given up by the caller."""

    id: str
    at: int
    sent: int | None
    code: int
    cause: int | None
    reason: str
    limit: str
    released_by: str
    facts: Facts


@dataclass(frozen=True)
class Ended:
    """The end of an answered call."""

    id: str
    at: int
    cause: int | None
    reason: str
    released_by: str
    limit: str = ""
    media: dict[str, Any] | None = None
    media_left: bool = False  # to us, to end and to ask how it was


@dataclass(frozen=True)
class Orphan:
    """A BYE that belongs to no call that this Kamailio remembers."""

    id: str
    at: int
    call_id: str
    cause: int | None
    reason: str
    released_by: str = "unknown"


Line = Leg | Answered | Failed | Ended | Orphan


class BadLine(ValueError):
    """A complete line that is none of ours."""


def parse(raw: bytes) -> Line:
    """Return one line as what it says; raise BadLine if it is none of ours."""
    columns = raw.rstrip(b"\r\n").split(DELIMITER)
    if len(columns) <= COLUMNS_OF_ACC:
        raise BadLine("too few columns")
    text = columns[-1].decode("ascii", "replace")
    said = dict(parse_qsl(text, keep_blank_values=True, errors="replace"))
    make = _KINDS.get(said.get("k", ""))
    # The terminator tells a whole line from one that a crash cut and a later process continued.
    if make is None or said.get("z") != "1":
        raise BadLine(f"no record line: {text[:80]}")
    try:
        return make(said)
    except KeyError as missing:
        raise BadLine(f"no {missing} in: {text[:80]}") from missing


def _micros(said: Mapping[str, str], key: str) -> int | None:
    """Return a time of Kamailio's, "seconds.microseconds", in microseconds."""
    seconds, _, micros = said.get(key, "").partition(".")
    return int(seconds) * 1_000_000 + int(micros.ljust(6, "0")[:6]) if seconds.isdigit() else None


def _millis(said: Mapping[str, str], key: str) -> int | None:
    micros = _micros(said, key)
    return None if micros is None else micros // 1000


def _moment(said: Mapping[str, str]) -> int:
    at = _millis(said, "ts")
    if at is None:
        raise BadLine("no time")
    return at


def _number(said: Mapping[str, str], key: str) -> int | None:
    value = said.get(key, "")
    return int(value) if value.isdigit() and int(value) > 0 else None


def _cause(said: Mapping[str, str]) -> int | None:
    """Return a cause of Q.850, None for anything else that the other side has called one."""
    value = said.get("ca", "")
    cause = int(value) if len(value) <= 3 and value.isascii() and value.isdigit() else 0
    return cause if cause in CAUSES else None


def _facts(said: Mapping[str, str]) -> Facts:
    return Facts(
        tenant=_number(said, "t") or 0,
        peer=_number(said, "pe") or 0,
        msp=_number(said, "m") or 0,
        direction=said.get("d", ""),
        call_id=said.get("ci", ""),
        caller=said.get("cr", ""),
        caller_sent=said.get("cs", ""),
        called=said.get("cd", ""),
        called_sent=said.get("ce", ""),
        invited=_millis(said, "iv") or 0,
        ringing=_millis(said, "rg"),
        ingress=said.get("in", ""),
        egress=said.get("eg", ""),
        route=_number(said, "r") or 0,
        generation=_number(said, "g") or 0,
        screening=said.get("sc") or "none",
        attestation=said.get("at", ""),
        user_agent=said.get("ua", ""),
    )


def _leg(said: Mapping[str, str]) -> Leg:
    at = _moment(said)
    over = _micros(said, "ts") or 0
    turn = (_micros(said, "ls") or over, over)
    return Leg(said["id"], said.get("eg", ""), _millis(said, "ls") or at, at, int(said["co"]), said.get("re", ""), turn)


def _answered(said: Mapping[str, str]) -> Answered:
    at = _moment(said)
    return Answered(
        said["id"], at, _millis(said, "ls") or at, int(said.get("co") or 200), _facts(said), said.get("dl", ""),
        said.get("ft", ""),
    )  # fmt: skip


def _failed(said: Mapping[str, str]) -> Failed:
    return Failed(
        said["id"],
        _moment(said),
        _millis(said, "ls"),
        int(said["co"]),
        _cause(said),
        said.get("re", ""),
        said.get("li", ""),
        said.get("by") or "sbc",
        _facts(said),
    )


def _ended(said: Mapping[str, str]) -> Ended:
    return Ended(
        said["id"],
        _moment(said),
        _cause(said),
        said.get("re", ""),
        said.get("by") or "unknown",
        said.get("li", ""),
        sound.heard(said),
        said.get("md") == "1",
    )


def _orphan(said: Mapping[str, str]) -> Orphan:
    return Orphan(said.get("id", ""), _moment(said), said.get("ci", ""), _cause(said), said.get("re", ""))


_KINDS: dict[str, Callable[[Mapping[str, str]], Line]] = {
    "l": _leg,
    "a": _answered,
    "f": _failed,
    "e": _ended,
    "o": _orphan,
}


@dataclass
class CallLines:
    """The lines of one call, gathered in whatever order the worker processes wrote them."""

    legs: list[Leg] = field(default_factory=list)
    answered: Answered | None = None
    failed: Failed | None = None
    ended: Ended | None = None
    orphan: Orphan | None = None

    def add(self, line: Line) -> None:
        """Remember one line; a line that comes twice changes nothing."""
        match line:
            case Leg():
                if line not in self.legs:
                    self.legs.append(line)
            case Answered():
                self.answered = self.answered or line
            case Failed():
                self.failed = self.failed or line
            case Ended():
                self.ended = self.ended or line
            case Orphan():
                self.orphan = self.orphan or line

    @property
    def is_open(self) -> bool:
        """Return whether the call was answered and its end is not known."""
        return self.answered is not None and self.failed is None and self.ended is None and self.orphan is None

    @property
    def is_complete(self) -> bool:
        """Return whether a record can be made that no later line will change."""
        return self.failed is not None or (self.answered is not None and not self.is_open)


def merge(lines: Iterable[Line], *, end_unknown: bool = False, last_seen: int | None = None) -> dict[str, Any] | None:
    """Return the call record (without "seq") that these lines of one call make, or None while it is not over.

    With `end_unknown` an answered call without an end gets its record all the same, last seen at `last_seen`.
    """
    call = CallLines()
    for line in lines:
        call.add(line)
    if call.failed is not None:
        # Its caller was told so: an answer after that, of a trunk that had been given up, was nobody's.
        return _record_of_failed(call, call.failed)
    if call.answered is not None and (not call.is_open or end_unknown):
        return _record_of_answered(call, last_seen)
    if call.orphan is not None and call.answered is None and call.failed is None:
        return orphan_record(call.orphan)
    return None


def orphan_record(orphan: Orphan) -> dict[str, Any]:
    """Return the record of an end whose call nobody here has heard of."""
    return {
        "kind": "orphan_end",
        "id": orphan.id,
        "call_id": orphan.call_id,
        "ended": orphan.at,
        "cause": orphan.cause,
        "reason": orphan.reason,
    }


def _record_of_answered(call: CallLines, last_seen: int | None) -> dict[str, Any]:
    assert call.answered is not None
    answered, end = call.answered, call.ended or call.orphan
    if end is not None and end.at < answered.at:
        # The clock was set back in between: how long they talked nobody knows.
        end = None
    last = {"trunk": answered.facts.egress, "sent": answered.sent, "ended": None, "code": answered.code, "reason": ""}
    return {
        "kind": "cdr",
        "id": answered.id,
        **_facts_of_record(answered.facts),
        "answered": answered.at,
        "ended": end.at if end else None,
        "end_unknown": end is None,
        "last_seen": None if end else (last_seen or answered.at),
        "code": answered.code,
        "cause": end.cause if end else None,
        "reason": end.reason if end else "",
        "released_by": end.released_by if end else "unknown",
        "attempts": [*attempts(call.legs), {**last, "ended": end.at if end else None}],
        "limit": call.ended.limit if call.ended else "",
        "media": sound.of_call(call.ended.media, answered.facts.ingress, answered.facts.egress) if call.ended else None,
    }


def _record_of_failed(call: CallLines, failed: Failed) -> dict[str, Any]:
    return {
        "kind": "cdr",
        "id": failed.id,
        **_facts_of_record(failed.facts),
        "answered": None,
        "ended": failed.at,
        "end_unknown": False,
        "last_seen": None,
        "code": failed.code,
        "cause": failed.cause,
        "reason": failed.reason,
        "released_by": failed.released_by,
        "attempts": attempts(call.legs),
        "limit": failed.limit,
        "media": None,
    }


def running_record(answered: Answered, seen: int) -> dict[str, Any]:
    """Return what is known of a call that goes on."""
    return {"id": answered.id, **_facts_of_record(answered.facts), "answered": answered.at, "seen": seen}


def _facts_of_record(facts: Facts) -> dict[str, Any]:
    return {each.name: getattr(facts, each.name) for each in fields(facts)}


def attempts(legs: list[Leg]) -> list[dict[str, Any]]:
    """Return legs as the attempts of a record, in the order in which they were tried."""
    return [
        {"trunk": leg.trunk, "sent": leg.sent, "ended": leg.ended, "code": leg.code, "reason": leg.reason}
        for leg in sorted(legs, key=lambda leg: leg.turn)
    ]
