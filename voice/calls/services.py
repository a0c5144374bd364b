"""Writes of call records and live calls. Only ingest calls these; nobody edits what was recorded."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid5

import psycopg
from django.db import DataError, IntegrityError, connection, transaction
from psycopg.types.json import Jsonb

from voice.calls import number_days
from voice.calls.dispositions import disposition
from voice.calls.models import Cdr
from voice.calls.rollups import Tally

COLUMNS = (
    "id call tenant_id msp_id peer_id node_name sequence direction side call_id caller caller_sent called called_sent "
    "invited ringing answered ended end_unknown last_seen talk_ms code cause reason released_by ingress ingress_name "
    "egress egress_name route_id generation attempts limit screening attestation user_agent media disposition received"
)
_NAMES = ", ".join(f'"{name}"' for name in COLUMNS.split())
# By which line of its policy another customer called, and what became of its caller ID, is its own business.
NOT_THE_CALLED_SIDES = {"route": 0, "generation": 0, "screening": "none", "attestation": ""}
LONGEST_CALL = timedelta(days=1)  # nodes end theirs after twelve hours
# Names the called customer's half of an internal call.
_CALLED_SIDE = UUID("5e3ad3ff-3f4b-5c2b-9c0e-5f2f6f0c7a11")


class Stored:
    """One record of a node, and whose it is: the caller's side, and the called side of an internal call."""

    __slots__ = ("msp", "peer_msp", "record")

    def __init__(self, record: dict[str, Any], msp: int, peer_msp: int | None = None) -> None:
        self.record, self.msp, self.peer_msp = record, msp, peer_msp

    def sides(self) -> list[tuple[str, UUID, int, int, int | None]]:
        """Return who has the call: side, id of the record, customer, MSP and the other customer."""
        record, call = self.record, UUID(self.record["id"])
        if self.peer_msp is None:
            return [("", call, record["tenant"], self.msp, record["peer"] or None)]
        called = uuid5(_CALLED_SIDE, record["id"])
        return [
            ("caller", call, record["tenant"], self.msp, record["peer"] or None),
            ("called", called, record["peer"], self.peer_msp, record["tenant"]),
        ]


class TrunkName(NamedTuple):
    """What a trunk is called, and by whom: its MSP and, for a customer's own, that customer."""

    name: str
    msp: int
    tenant: int | None


class NotStored(Exception):
    """The database refuses a call: its id is known already, or a value fits nowhere."""


def store_calls(
    calls: Sequence[Stored], *, node_name: str, trunk_names: Mapping[str, TrunkName], received: datetime
) -> list[UUID]:
    """Store call records with their roll-ups, in the caller's transaction; return the ids of the calls that ended.

    Raises NotStored, with nothing stored, where the database refuses one of them.
    """
    tally, rows, ended = Tally(), [], []
    for each in calls:
        record = each.record
        word = disposition(record)
        talk_ms = _talk_ms(record)
        call = UUID(record["id"])
        ended.append(call)
        common = _common(record)
        for side, key, tenant, msp, peer in each.sides():
            head = (key, call, tenant, msp, peer, node_name, record["seq"], record["direction"], side)
            names = _names_for(tenant, msp, trunk_names)
            told = record if side != "called" or tenant == peer else record | NOT_THE_CALLED_SIDES
            rows.append((*head, *common(side), talk_ms, *_outcome(told, names), word, received))
            # Both ends inside one customer are one attempt of that customer.
            if side != "called" or tenant != record["tenant"]:
                tally.add(tenant, msp, record, word, talk_ms)
    try:
        with transaction.atomic(), _copied(rows):
            tally.write()
            number_days.add_incoming()
    except (IntegrityError, DataError, psycopg.DataError) as error:
        raise NotStored(str(error).partition("\n")[0]) from error
    return ended


def complete_call(end: Mapping[str, Any], *, node_name: str) -> list[Cdr]:
    """Give a call whose end was not known the end that came later, with its roll-ups, in the caller's transaction.

    Return its records, none where there was no such call: the same node's, answered before, and not completed yet. It
    lasts from its answer to this end, however long it was believed to last until now.
    """
    return _completed(end, node_name, {})


def _completed(end: Mapping[str, Any], node_name: str, more: Mapping[str, Any]) -> list[Cdr]:
    ended = datetime.fromtimestamp(end["ended"] / 1000, UTC)
    open_ended = Cdr.objects.select_for_update().filter(
        end_unknown=True, node_name=node_name, answered__lte=ended, answered__gt=ended - LONGEST_CALL
    )
    found = list(open_ended.filter(call=end["id"])) if _is_uuid(end["id"]) else []
    if not found and end["call_id"]:
        found = list(open_ended.filter(call_id=end["call_id"]))
    if len({cdr.call for cdr in found}) != 1:
        return []
    tally, longer = Tally(), []
    for cdr in found:
        assert cdr.answered is not None
        talk_ms = (ended - cdr.answered) // timedelta(milliseconds=1)
        mine = Cdr.objects.filter(tenant_id=cdr.tenant_id, invited=cdr.invited, id=cdr.id)
        mine.update(
            ended=ended, end_unknown=False, last_seen=cdr.last_seen or ended, talk_ms=talk_ms, cause=end["cause"],
            reason=end["reason"], **more,
        )  # fmt: skip
        invited, more_ms = round(cdr.invited.timestamp() * 1000), talk_ms - cdr.talk_ms
        # As when it was stored: both ends inside one customer are one attempt.
        if cdr.side != "called" or cdr.peer_id != cdr.tenant_id:
            facts = {"invited": invited, "attempts": cdr.attempts, "ingress": cdr.ingress, "egress": cdr.egress}
            tally.lengthen(cdr.tenant_id, facts, more_ms)
        longer.append((cdr, more_ms))
        cdr.ended, cdr.end_unknown, cdr.talk_ms = ended, False, talk_ms
    tally.write()
    number_days.lengthen(longer)
    return found


def take_place_of(record: Mapping[str, Any], *, node_name: str) -> list[Cdr]:
    """Give a call whose record was made without its end the end and the sequence of the record that came after all.

    In the caller's transaction; return its records, none where no such call waits for an end.
    """
    if record["ended"] is None or record["answered"] is None:
        return []
    end = {name: record[name] for name in ("id", "ended", "cause", "reason")} | {"call_id": ""}
    facts = {"sequence": record["seq"], "released_by": record["released_by"], "limit": record["limit"]}
    return _completed(end, node_name, facts)


@contextmanager
def _copied(rows: Iterable[tuple[Any, ...]]) -> Iterator[None]:
    """Store the records, and keep them in the table `calls_incoming` until all that hangs on them is counted."""
    # COPY into a table under row-level security is refused; into a temporary one it is not.
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE calls_incoming (LIKE calls_cdr) ON COMMIT DROP")
        with cursor.copy(f"COPY calls_incoming ({_NAMES}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
        cursor.execute(f"INSERT INTO calls_cdr ({_NAMES}) SELECT {_NAMES} FROM calls_incoming")  # noqa: S608
        yield
        cursor.execute("DROP TABLE calls_incoming")


def _names_for(tenant: int, msp: int, trunks: Mapping[str, TrunkName]) -> dict[str, str]:
    """Return the names of trunks that a customer may know: its own and those of its MSP."""
    return {key: each.name for key, each in trunks.items() if each.msp == msp and each.tenant in (None, tenant)}


def _common(record: dict[str, Any]) -> Any:
    times = [_time(record[name]) for name in ("invited", "ringing", "answered", "ended")]
    shared = (*times, record["end_unknown"], _time(record["last_seen"]))

    def of(side: str) -> tuple[Any, ...]:
        # What one customer dialled before screening is nothing that the other should read.
        caller = record["caller_sent"] or record["caller"] if side == "called" else record["caller"]
        called = record["called_sent"] or record["called"] if side == "called" else record["called"]
        return (record["call_id"], caller, record["caller_sent"], called, record["called_sent"], *shared)

    return of


def _outcome(record: dict[str, Any], names: dict[str, str]) -> tuple[Any, ...]:
    attempts = [{**each, "name": names.get(each["trunk"], "")} for each in record["attempts"]]
    return (
        record["code"],
        record["cause"],
        record["reason"],
        record["released_by"],
        record["ingress"],
        names.get(record["ingress"], ""),
        record["egress"],
        names.get(record["egress"], ""),
        record["route"] or None,
        record["generation"] or None,
        Jsonb(attempts),
        record["limit"],
        record["screening"],
        record["attestation"],
        record["user_agent"],
        None if record["media"] is None else Jsonb(record["media"]),
    )


def _talk_ms(record: dict[str, Any]) -> int:
    """Return how long the two talked; where the end is unknown, until the call was last seen."""
    end = record["ended"] if record["ended"] is not None else record["last_seen"]
    if record["answered"] is None or end is None:
        return 0
    return max(0, int(end) - int(record["answered"]))


def _is_uuid(text: str) -> bool:
    try:
        return bool(UUID(text))
    except ValueError:
        return False


def _time(ms: int | None) -> datetime | None:
    return None if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
