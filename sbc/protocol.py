"""The messages between portal and node: JSON text frames `{"type": …, …}` over one WebSocket, `/node/v1/`.

`encode` and `decode` are the only way in and out. Parsing is strict: a missing, unknown or wrongly typed field is a
`BadMessage` that names it. What the messages mean is told in docs/node-protocol.md.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NotRequired,
    TypeAlias,
    TypedDict,
    Union,
    cast,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

PATH = "/node/v1/"
STOLEN_TOKEN = 4409  # close code: this token's first connection is alive, so the second is refused
BAD_TOKEN = 4401  # close code: no such token, or the node is disabled

Scope: TypeAlias = Annotated[str, "scope"]  # "region:1", "msp:3" or "cust:17"
Millis: TypeAlias = int  # since 1970, UTC
Direction: TypeAlias = Literal["out", "in", "internal", "emergency"]
Count: TypeAlias = Annotated[int, "count"]  # zero or more


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


class CallEvent(TypedDict):
    """One step of a call, for the eye; may be lost."""

    at: Millis
    call: str
    type: Literal["start", "ringing", "answered", "ended", "refused", "alarm"]
    tenant: int
    peer: int
    msp: int
    direction: Direction | Literal[""]
    caller: str
    called: str
    trunk: str
    route: int
    code: int
    reason: str
    kind: NotRequired[str]  # of an alarm, such as "unknown_source"
    source: NotRequired[str]
    host: NotRequired[str]


class Attempt(TypedDict):
    trunk: str
    sent: Millis
    ended: Millis | None
    code: int
    reason: str


class Cdr(TypedDict):
    """One finished or refused call, for the money; never lost, never doubled."""

    seq: Count
    kind: Literal["cdr"]
    id: str
    tenant: int
    peer: int
    msp: int
    direction: Direction | Literal[""]
    call_id: str
    caller: str
    caller_sent: str
    called: str
    called_sent: str
    invited: Millis
    ringing: Millis | None
    answered: Millis | None
    ended: Millis | None
    end_unknown: bool
    last_seen: Millis | None
    code: int
    cause: int | None
    reason: str
    released_by: Literal["caller", "called", "sbc", "unknown"]
    ingress: str
    egress: str
    route: int
    generation: int
    attempts: list[Attempt]
    limit: Literal["", "customer_cps", "customer_channels", "trunk_cps", "trunk_channels", "node"]
    screening: Literal["own", "forwarded", "foreign", "replaced", "refused", "none"]
    attestation: Literal["A", "B", "C", ""]
    user_agent: str
    media: dict[str, Any] | None


class OrphanEnd(TypedDict):
    """A BYE for which the SBC had no dialog."""

    seq: Count
    kind: Literal["orphan_end"]
    id: str  # the call's id if the Contact told it, or ""
    call_id: str
    ended: Millis
    cause: int | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hello:
    node: str
    boot: str  # new with each start of the node process
    spool: str  # UUID, made once with the spool
    software: str
    held: dict[Scope, Count]
    next_sequence: Count  # the number that the node's next record will get


@dataclass(frozen=True, slots=True, kw_only=True)
class Ack:
    scope: Scope
    version: Count  # what the node runs now: newer than asked for when the apply came late; 0 after a drop
    nonce: str
    took_ms: float


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
class AckRecords:
    last_sequence: Count


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class Resend:
    scope: Scope


FromNode: TypeAlias = Hello | Ack | Nack | Held | Events | Records | Gauges
FromPortal: TypeAlias = Welcome | Apply | AckRecords | Drop | Resend
Message: TypeAlias = FromNode | FromPortal


class BadMessage(ValueError):
    """A frame that is not a message of this protocol; says which field, and why."""


def encode(message: Message) -> str:
    """Write a message as one JSON text frame."""
    parts = {field.name: getattr(message, field.name) for field in fields(message)}
    return json.dumps({"type": _NAME_OF[type(message)], **parts}, separators=(",", ":"))


def decode(frame: str | bytes) -> Message:
    """Read a frame from either side, or raise BadMessage."""
    try:
        data = json.loads(frame)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"not JSON: {error}") from None
    if not isinstance(data, dict):
        raise BadMessage("the frame is not an object")
    if _UNSTORABLE.search(frame if isinstance(frame, str) else frame.decode()):
        _refuse_unstorable(data)
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


_UNSTORABLE = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


def _refuse_unstorable(value: Any) -> None:
    """Raise BadMessage for texts that no database takes: NUL, half of a surrogate pair."""
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
        raise BadMessage(f"text that cannot be stored: {value!r:.40}")
    if isinstance(value, dict):
        value = [*value, *value.values()]
    if isinstance(value, list):
        for each in value:
            _refuse_unstorable(each)


# The parser: the type hints above, turned once into functions.

Check: TypeAlias = Callable[[Any, str], Any]
_SCOPE = re.compile(r"(region|msp|cust):[1-9][0-9]{0,9}")


def _check_scope(value: Any, where: str) -> str:
    if not isinstance(value, str) or not _SCOPE.fullmatch(value):
        raise BadMessage(f"{where}: expected a scope such as cust:17, got {value!r:.40}")
    return value


def _check_count(value: Any, where: str) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise BadMessage(f"{where}: expected a whole number from 0, got {value!r:.40}")
    return value


def _simple(kind: type, *accepted: type) -> Check:
    def check(value: Any, where: str) -> Any:
        if type(value) not in accepted:  # not isinstance: True is an int
            raise BadMessage(f"{where}: expected {kind.__name__}, got {value!r:.40}")
        return value

    return check


def _list_of(item: Check) -> Check:
    def check(value: Any, where: str) -> list[Any]:
        if type(value) is not list:
            raise BadMessage(f"{where}: expected a list, got {value!r:.40}")
        return [item(each, where) for each in value]

    return check


def _dict_of(key: Check, item: Check) -> Check:
    def check(value: Any, where: str) -> dict[Any, Any]:
        if type(value) is not dict:
            raise BadMessage(f"{where}: expected an object, got {value!r:.40}")
        return {key(name, where): item(each, f"{where}.{name:.40}") for name, each in value.items()}

    return check


def _texts(kind: type[Row] | type[RowKey]) -> Check:
    def check(value: Any, where: str) -> Any:
        if type(value) is not list or len(value) != len(kind._fields) or not all(type(part) is str for part in value):
            raise BadMessage(f"{where}: expected [{', '.join(kind._fields)}] as texts, got {type(value).__name__}")
        return kind(*value)

    return check


def _either(checks: list[Check], literals: tuple[Any, ...]) -> Check:
    def check(value: Any, where: str) -> Any:
        if any(value == literal and type(value) is type(literal) for literal in literals):
            return value
        if not checks:
            raise BadMessage(f"{where}: expected one of {', '.join(map(repr, literals))}, got {value!r:.40}")
        return checks[0](value, where)

    return check


def _object(kind: type, names: dict[str, Any]) -> Check:
    checks = {name: _check_for(hint) for name, hint in names.items()}
    required = checks.keys() - getattr(kind, "__optional_keys__", frozenset())

    def check(value: Any, where: str) -> dict[str, Any]:
        if type(value) is not dict:
            raise BadMessage(f"{where}: expected an object, got {value!r:.40}")
        if not required <= value.keys() <= checks.keys():
            missing, unknown = sorted(required - value.keys()), sorted(value.keys() - checks.keys())
            raise BadMessage(f"{where}: missing {missing}, unknown {[name[:40] for name in unknown[:5]]}")
        return {name: check(value[name], f"{where}.{name}") for name, check in checks.items() if name in value}

    return check


def _check_for(hint: Any) -> Check:
    origin, inner = get_origin(hint), get_args(hint)
    if origin is NotRequired:
        return _check_for(inner[0])
    if origin is Literal:
        return _either([], inner)
    if origin in (Union, UnionType):
        literals = [value for part in inner if get_origin(part) is Literal for value in get_args(part)]
        plain = [part for part in inner if get_origin(part) is not Literal and part is not NoneType]
        return _either([_check_for(part) for part in plain], (*literals, *([None] if NoneType in inner else [])))
    if origin is list:
        return _list_of(_check_for(inner[0]))
    if origin is dict:
        return _dict_of(_check_for(inner[0]), _check_for(inner[1]))
    if hint in (Row, RowKey):
        return _texts(hint)
    if is_typeddict(hint):
        return _object(hint, get_type_hints(hint, include_extras=True))
    return _SIMPLE[hint]


_SIMPLE: dict[Any, Check] = {
    str: _simple(str, str),
    int: _simple(int, int),
    float: _simple(float, float, int),
    bool: _simple(bool, bool),
    Any: lambda value, where: value,
    Scope: _check_scope,
    Count: _check_count,
}
_FROM_NODE = (Hello, Ack, Nack, Held, Events, Records, Gauges)
_FROM_PORTAL = (Welcome, Apply, AckRecords, Drop, Resend)
_NAME_OF: dict[type, str] = {
    kind: re.sub(r"(?<!^)(?=[A-Z])", "_", kind.__name__).lower() for kind in (*_FROM_NODE, *_FROM_PORTAL)
}
_CLASSES: dict[str, type] = {name: kind for kind, name in _NAME_OF.items()}
_CHECKS: dict[str, Check] = {
    name: _object(kind, get_type_hints(kind, include_extras=True)) for name, kind in _CLASSES.items()
}
_check_event, _check_cdr, _check_orphan = (_check_for(kind) for kind in (CallEvent, Cdr, OrphanEnd))
