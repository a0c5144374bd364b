"""What the lists in messages hold: steps of calls, records of calls, counts. The messages are in `protocol`."""

from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

from sbc.strict import Count

# Of Q.850: seven bits, and 0 is none. What others write there instead is no cause, and keeps no record out.
CAUSES = range(1, 128)

Millis: TypeAlias = int  # since 1970, UTC
Direction: TypeAlias = Literal["out", "in", "internal", "emergency"]


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
    limit: Literal[
        "",
        "customer_cps",
        "customer_channels",
        "trunk_cps",
        "trunk_channels",
        "node",
        "customer_spend",
        "call_length",
        "below_cost",
        "not_offered",
    ]
    screening: Literal["own", "forwarded", "foreign", "replaced", "refused", "none"]
    attestation: Literal["A", "B", "C", ""]
    user_agent: str
    media: dict[str, Any] | None


class RunningCall(TypedDict):
    """An answered call that goes on: what is known of it so far, so that a node that dies takes no hours with it."""

    id: str
    tenant: int
    peer: int
    msp: int
    direction: Direction
    call_id: str
    caller: str
    caller_sent: str
    called: str
    called_sent: str
    invited: Millis
    ringing: Millis | None
    answered: Millis
    seen: Millis
    ingress: str
    egress: str
    route: int
    generation: int
    screening: Literal["own", "forwarded", "foreign", "replaced", "refused", "none"]
    attestation: Literal["A", "B", "C", ""]
    user_agent: str


class OrphanEnd(TypedDict):
    """A BYE for which the SBC had no dialog."""

    seq: Count
    kind: Literal["orphan_end"]
    id: str  # the call's id if the Contact told it, or ""
    call_id: str
    ended: Millis
    cause: int | None
    reason: str


class HourCount(TypedDict):
    """What a node spooled in one hour for one customer, by its own count."""

    at: Millis  # when the hour began
    tenant: Count  # 0 for records that name no customer
    records: Count  # calls
    orphans: Count  # ends without a call
    first: Count  # sequences of the first and the last of them
    last: Count
