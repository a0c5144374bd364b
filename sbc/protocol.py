"""The messages between portal and node: JSON frames `{"type": …, …}` over one WebSocket, `/node/v1/`.

`encode` and `decode` are the only way in and out. Parsing is strict: a missing, unknown or wrongly typed field is a
`BadMessage` that names it. What the messages mean is told in docs/node-protocol.md.
"""

import json
import re
from dataclasses import dataclass, field, fields
from typing import Any, Literal, NamedTuple, TypeAlias, TypedDict, cast, get_type_hints

import orjson

from sbc.protocol_items import Attempt as Attempt
from sbc.protocol_items import CallEvent as CallEvent
from sbc.protocol_items import Cdr as Cdr
from sbc.protocol_items import HourCount as HourCount
from sbc.protocol_items import Millis as Millis
from sbc.protocol_items import OrphanEnd as OrphanEnd
from sbc.protocol_items import RunningCall as RunningCall
from sbc.strict import UNSTORABLE, Check, Count, Scope, check_for, object_check, refuse_unstorable
from sbc.strict import BadMessage as BadMessage

PATH = "/node/v1/"
STOLEN_TOKEN = 4409  # close code: this token's first connection is alive, so the second is refused
WINDOW = 6  # messages of records that a node sends before the first is acknowledged; older ones send three
BAD_TOKEN = 4401  # close code: no such token, or the node is disabled


class Row(NamedTuple):
    table: str
    key: str
    value: str


class RowKey(NamedTuple):
    table: str
    key: str


class RowName(TypedDict):
    table: str
    key: str


class RowLeftOut(RowName):
    reason: str


class TrunkHealth(TypedDict):
    up: bool
    code: int  # last answer to OPTIONS; 0 is silence
    since: Millis
    checked: Millis


class Drift(TypedDict):
    table: str
    key: str  # "" when only the table's row count was wrong
    scope: str  # "" when nobody owns the row
    found: Literal["missing", "different", "foreign"]
    healed: bool
    at: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    node: str
    boot: str  # new with each start of the node process
    spool: str  # UUID, made once with the spool
    software: str
    held: dict[Scope, Count]
    next_sequence: Count  # the number that the node's next record will get
    addresses: list[str] = field(default_factory=list)  # its own, which are no trunk's

    __optional_keys__ = frozenset({"addresses"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    scope: Scope
    version: Count  # what the node runs now: newer than asked for when the apply came late; 0 answers a drop
    nonce: str
    took_ms: float
    left_out: list[RowLeftOut] = field(default_factory=list)  # of its rows, not carried: the first fifty

    __optional_keys__ = frozenset({"left_out"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Nack:
    scope: Scope
    version: Count
    nonce: str
    row: RowName | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    scope: Scope
    version: Count
    nonce: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Events:
    items: list[dict[str, Any]]  # of CallEvent: check_event


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    first: Count
    items: list[dict[str, Any]]  # of Cdr | OrphanEnd, numbered without a gap from `first`: check_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Gauges:
    at: Millis
    engine: Literal["kamailio", "memory"]
    calls: Count
    cps: Count
    kamailio: bool
    daemons: dict[str, bool]
    trunks: dict[str, TrunkHealth]  # by gateway: g12
    microsoft: dict[str, TrunkHealth]  # by row: ms1
    drift: list[Drift]  # found since the last gauges
    waiting: dict[Scope, str]  # why a scope's newest apply has not begun
    spooled: Count  # records that the portal has not acknowledged


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """A node's own counts, again whenever they have grown; a node of before they were counted never says this."""

    items: list[HourCount]


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """Calls that have lasted for long, again at intervals and on each new line; an older node never says this."""

    items: list[dict[str, Any]]  # of RunningCall: check_running


@dataclass(frozen=True, slots=True, kw_only=True)
class Credits:
    """Which credits a node holds, said after each welcome; a node of before there were any never says this."""

    held: dict[Scope, Count]


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateState:
    served: str  # SHA-256 fingerprint of what HAProxy shows to who dials; "" for none
    until: Millis  # when that ends; 0 for none
    dialled: str  # fingerprint of what Kamailio dials with since its last start; "" if unknown
    nonce: str  # of the certificate that this answers; "" when the node speaks by itself
    reason: str  # why it was not taken; "" when it was


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    last_sequence: Count
    node: str
    now: Millis


@dataclass(frozen=True, slots=True, kw_only=True)
class Apply:
    scope: Scope
    version: Count
    nonce: str
    needs: dict[Scope, Count]  # versions that must run here before this one begins
    after: dict[Scope, Count]  # versions that must run here before this one's deletes are carried out
    base: Count | None  # None: `set` is the scope's whole state; else a delta on that version
    set: list[Row]
    delete: list[RowKey]
    closing: bool  # the scope is being closed: it may become empty
    approved: bool  # a person has released what the safety stop held


@dataclass(frozen=True, slots=True, kw_only=True)
class Credit:
    """What a customer's money allows: a scope of its own, answered like an apply, and never held back."""

    tenant: Count
    version: Count
    nonce: str
    base: Count | None  # None: `set` is the whole state; else a delta on that version
    set: list[Row]
    delete: list[RowKey]

    @property
    def scope(self) -> str:
        return f"credit:{self.tenant}"

    def as_apply(self) -> Apply:
        """Return the apply that carries it out."""
        return Apply(
            scope=self.scope, version=self.version, nonce=self.nonce, needs={}, after={}, base=self.base, set=self.set,
            delete=self.delete, closing=True, approved=True,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class AckRecords:
    last_sequence: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    scope: Scope
    nonce: str
    approved: bool  # a person has released what the safety stop held


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    fingerprint: str
    chain: str
    key: str = field(repr=False)  # so that no log can show it
    nonce: str
    restart: bool  # Kamailio is to dial with it at once, by a planned restart


FromNode: TypeAlias = (
    Hello | Ack | Nack | Held | Events | Records | Gauges | Hours | Running | Credits | CertificateState
)
FromPortal: TypeAlias = Welcome | Apply | Credit | AckRecords | Drop | Resend | Certificate
Message: TypeAlias = FromNode | FromPortal


def encode(message: Message) -> str:
    """Write a message as one JSON text frame."""
    optional = getattr(message, "__optional_keys__", ())
    parts = {each.name: getattr(message, each.name) for each in fields(message)}
    parts = {name: value for name, value in parts.items() if value or name not in optional}
    return json.dumps({"type": _NAME_OF[type(message)], **parts}, separators=(",", ":"))


def decode(frame: str | bytes) -> Message:
    """Read a frame from either side, or raise BadMessage."""
    try:
        # Records come by the thousand. It is stricter, too: no NaN, no half of a surrogate pair, no bottomless list.
        data = orjson.loads(frame)
    except ValueError as error:
        raise BadMessage(f"not JSON: {error}") from None
    if not isinstance(data, dict):
        raise BadMessage("the frame is not an object")
    if UNSTORABLE in frame if isinstance(frame, str) else UNSTORABLE.encode() in frame:
        refuse_unstorable(data)
    name = data.pop("type", None)
    if not isinstance(name, str) or name not in _CLASSES:
        raise BadMessage(f"unknown type {name!r:.40}")
    message = cast(Message, _CLASSES[name](**_CHECKS[name](data, name)))
    if isinstance(message, Records):
        for number, item in enumerate(message.items, message.first):
            if item.get("seq") != number:
                raise BadMessage(f"records.items: expected seq {number}, got {item.get('seq')!r:.40}")
    return message


def decode_from_node(frame: str | bytes) -> FromNode:
    """Read a frame on the portal's side."""
    message = decode(frame)
    if not isinstance(message, FromNode):
        raise BadMessage(f"{_NAME_OF[type(message)]} is not for a node to say")
    return message


def decode_from_portal(frame: str | bytes) -> FromPortal:
    """Read a frame on the node's side."""
    message = decode(frame)
    if not isinstance(message, FromPortal):
        raise BadMessage(f"{_NAME_OF[type(message)]} is not for the portal to say")
    return message


def check_event(item: dict[str, Any]) -> CallEvent:
    """Give the item back as a call event, or raise BadMessage."""
    return cast(CallEvent, _check_event(item, "event"))


def check_record(item: dict[str, Any]) -> Cdr | OrphanEnd:
    """Give the item back as a record, or raise BadMessage."""
    check = _check_orphan if item.get("kind") == "orphan_end" else _check_cdr
    return cast(Cdr | OrphanEnd, check(item, "record"))


def check_running(item: dict[str, Any]) -> RunningCall:
    """Give the item back as a running call, or raise BadMessage."""
    return cast(RunningCall, _check_running(item, "running"))


_FROM_NODE = (Hello, Ack, Nack, Held, Events, Records, Gauges, Hours, Running, Credits, CertificateState)
_FROM_PORTAL = (Welcome, Apply, Credit, AckRecords, Drop, Resend, Certificate)
_NAME_OF: dict[type, str] = {
    kind: re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower() for kind in (*_FROM_NODE, *_FROM_PORTAL)
}
_CLASSES: dict[str, type] = {name: kind for kind, name in _NAME_OF.items()}
_CHECKS: dict[str, Check] = {
    name: object_check(kind, get_type_hints(kind, include_extras=True)) for name, kind in _CLASSES.items()
}
_check_event, _check_cdr, _check_orphan, _check_running = (
    check_for(kind) for kind in (CallEvent, Cdr, OrphanEnd, RunningCall)
)
