"""Reads of the feed and of what is on its way."""

from datetime import datetime

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery

from tenants.models import Msp
from voice.calls.masking import Hidden, Sight, hidden_from
from voice.delivery.models import Delivery, Endpoint, Message, Store, StoredFile

WAITING = Delivery.State.WAITING


def endpoints(msp: Msp) -> QuerySet[Endpoint]:
    """Return an MSP's webhooks with how much waits for each."""
    waiting = Count("deliveries", filter=Q(deliveries__state=WAITING))
    return Endpoint.objects.filter(msp=msp).annotate(waiting=waiting)


def stores(msp: Msp) -> QuerySet[Store]:
    """Return an MSP's file stores with when a file last arrived."""
    arrived = Max("files__done_at")
    return Store.objects.filter(msp=msp).annotate(arrived_at=arrived)


def deliveries(msp: Msp) -> QuerySet[Delivery]:
    """Return every message on its way to every webhook of an MSP."""
    return Delivery.objects.filter(msp=msp).select_related("message", "endpoint")


def files(msp: Msp) -> QuerySet[StoredFile]:
    """Return every file of an MSP's stores."""
    return StoredFile.objects.filter(msp=msp).select_related("store")


def messages_after(msp: Msp, sequence: int, most: int) -> list[Message]:
    """Return the messages of the feed after a number, in their order; test messages are nobody's news."""
    return list(Message.objects.filter(msp=msp, sequence__gt=sequence).order_by("sequence")[:most])


def hidden_from_programs(msp: Msp) -> Hidden:
    """Return whose numbers' last digits an MSP's systems are not told: those that its billing staff does not see."""
    return hidden_from(Sight.UNLESS_HIDDEN, None, msp)


def due_deliveries(msp: Msp, now: datetime) -> QuerySet[Delivery]:
    """Return what is to be sent now, the oldest first; of a receiver that fails only one, to see how it does.

    A receiver that never answers would keep the workers of everybody else as often as it has messages.
    """
    due = Delivery.objects.filter(msp=msp, state=WAITING, next_at__lte=now, endpoint__state=Endpoint.State.ACTIVE)
    due = due.order_by("next_at", "pk")
    first = due.filter(endpoint=OuterRef("endpoint")).values("pk")[:1]
    return due.filter(Q(endpoint__failing_since=None) | Q(pk=Subquery(first)))


def due_files(msp: Msp, now: datetime) -> QuerySet[StoredFile]:
    """Return the files that are to be put into their stores now."""
    due = StoredFile.objects.filter(msp=msp, state=WAITING, next_at__lte=now, store__enabled=True)
    return due.order_by("next_at", "pk")
