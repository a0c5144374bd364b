from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.db.models import F

from portal.core import audit, nudges
from portal.core.audit import Actor
from portal.db import contexts
from sbc.models import Alarm, Node

COMES_AND_GOES = timedelta(minutes=10)


def raise_alarm(
    kind: str,
    text: str,
    *,
    at: datetime,
    node: Node | None = None,
    tenant_id: int | None = None,
    msp_id: int | None = None,
    subject: str = "",
    times: int = 1,
) -> None:
    """Open an alarm, or count one that is open already; runs as the role ingest."""
    same = Alarm.objects.filter(node=node, tenant_id=tenant_id, kind=kind, subject=subject)
    again = {"count": F("count") + times, "text": text, "last": at}
    if same.open().update(**again):
        return
    transaction.on_commit(partial(nudges.nudge_group, "operator"), robust=True)
    # What comes and goes on a node is one alarm, not a hundred.
    latest = same.filter(until__gt=at - COMES_AND_GOES).order_by("-until").first()
    if node is not None and latest is not None:
        Alarm.objects.filter(pk=latest.pk).update(until=None, **again)
        return
    alarm = Alarm(
        node=node, tenant_id=tenant_id, msp_id=msp_id, kind=kind, subject=subject, text=text, count=times,
        since=at, last=at,
    )  # fmt: skip
    # Two connections may see the same thing in the same moment: one row is enough.
    Alarm.objects.bulk_create([alarm], ignore_conflicts=True)


def close_alarms(kinds: Iterable[str], *, at: datetime, node: Node | None = None, subject: str = "") -> None:
    """Close what is open of these kinds and this subject: it is over."""
    Alarm.objects.open().filter(node=node, kind__in=kinds, subject=subject).update(until=at)


def settle_alarm(alarm: Alarm, *, at: datetime, by: Actor) -> Alarm:
    """Close an alarm that somebody has looked at; it opens again when it happens again."""
    with contexts.ingest(), transaction.atomic():
        if Alarm.objects.open().filter(pk=alarm.pk).update(until=at):
            audit.record(by, "alarm.settled", alarm, tenant_id=alarm.tenant_id, msp_id=alarm.msp_id, text=alarm.text)
        alarm.refresh_from_db()
    return alarm
