"""Writes of call records and live calls. Only ingest calls these; nobody edits what was recorded."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
from django.db import DataError, IntegrityError, connection, transaction

from voice.calls import number_days
from voice.calls.dispositions import disposition
from voice.calls.models import Cdr
from voice.calls.rollups import Tally
from voice.calls.stored import NAMES, Lines, Stored, TrunkName

LONGEST_CALL = timedelta(days=1)  # nodes end theirs after twelve hours


class NotStored(Exception):
    """The database refuses a call: its id is known already, or a value fits nowhere."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Calls as COPY reads them, with their sums; nothing in it depends on what is stored."""

    calls: Sequence[Stored]
    lines: bytes
    tally: Tally


def make_ready(
    calls: Sequence[Stored], *, node_name: str, trunk_names: Mapping[str, TrunkName], received: datetime
) -> Ready:
    """Write calls as they will be stored; pure, so that it can be done while others are stored."""
    tally, lines = Tally(), Lines(node_name, trunk_names, received)
    rows = []
    for call in calls:
        record = call.record
        word = disposition(record)
        talk_ms = _talk_ms(record)
        for side in call.sides:
            rows.append(lines.of(call, side, talk_ms, word))
            # Both ends inside one customer are one attempt of that customer.
            if side.name != "called" or side.tenant != side.peer:
                tally.add(side.tenant, side.msp, record, word, talk_ms)
    return Ready(calls, "".join(rows).encode(), tally)


def store_calls(ready: Ready) -> list[str]:
    """Store call records with their roll-ups, in the caller's transaction; return the ids of the calls that ended.

    Raises NotStored, with nothing stored, where the database refuses one of them.
    """
    try:
        with transaction.atomic(), _copied(ready.lines):
            ready.tally.write()
            number_days.add_incoming()
    except (IntegrityError, DataError, psycopg.DataError) as error:
        raise NotStored(str(error).partition("\n")[0]) from error
    return [call.call for call in ready.calls]


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
def _copied(lines: bytes) -> Iterator[None]:
    """Store the records, and keep them in the table `calls_incoming` until all that hangs on them is counted."""
    # COPY into a table under row-level security is refused; into a temporary one it is not.
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE calls_incoming (LIKE calls_cdr) ON COMMIT DROP")
        with cursor.copy(f"COPY calls_incoming ({NAMES}) FROM STDIN") as copy:
            copy.write(lines)
        cursor.execute(f"INSERT INTO calls_cdr ({NAMES}) SELECT {NAMES} FROM calls_incoming")  # noqa: S608
        yield
        cursor.execute("DROP TABLE calls_incoming")


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
