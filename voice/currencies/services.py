"""Every write to the exchange rates: entered by hand, or as the European Central Bank published them."""

from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from tenants.models import Msp
from voice.currencies import ecb
from voice.currencies.models import ExchangeRate
from voice.edits import facts
from voice.rating.money import UnknownCurrency, decimals
from voice.rating.ranking import exchange_rates_changed

FACTS = ("base", "quote", "nanos", "day", "source")
SOURCE = "European Central Bank, euro foreign exchange reference rates"


@transaction.atomic
def add_rate(rate: ExchangeRate, *, by: Actor) -> ExchangeRate:
    """Add a rate by hand; it counts from now on for its day, what was converted before stays.

    Raises ValidationError with messages meant for the user.
    """
    rate.pk, rate.kind = None, ExchangeRate.Kind.MANUAL
    for name in ("base", "quote"):
        try:
            decimals(getattr(rate, name))
        except UnknownCurrency as error:
            raise ValidationError({name: str(error)})
    if rate.day > timezone.localdate():
        raise ValidationError({"day": _("A rate is published on its day or later, not before.")})
    rate.full_clean()
    rate.save(force_insert=True)
    exchange_rates_changed(rate.msp_id)
    audit.record(by, "exchange_rate.added", rate, after=facts(rate, FACTS))
    return rate


def import_file(msp: Msp, content: bytes, *, by: Actor) -> int:
    """Add the rates of a file of the European Central Bank that are not there yet; return how many those were.

    Raises ValidationError where it is no such file.
    """
    try:
        published = ecb.read(content)
    except ecb.Unreadable as error:
        raise ValidationError({"file": str(error)})
    return _store(msp, published, by)


def import_latest(msp: Msp, *, by: Actor) -> int:
    """Ask the European Central Bank for its newest rates and add them; raises ValidationError without an answer."""
    try:
        published = ecb.read(ecb.source().fetch())
    except ecb.Unreadable as error:
        raise ValidationError(str(error))
    return _store(msp, published, by)


@transaction.atomic
def _store(msp: Msp, published: Sequence[ecb.Published], by: Actor) -> int:
    rows = [
        ExchangeRate(
            msp=msp, base=ecb.BASE, quote=each.quote, nanos=each.nanos, day=each.day, kind=ExchangeRate.Kind.ECB,
            source=SOURCE,
        )
        for each in published
    ]  # fmt: skip
    before = ExchangeRate.objects.filter(kind=ExchangeRate.Kind.ECB).count()
    # Whoever imports the same file at the same time adds nothing twice: the database has each once.
    ExchangeRate.objects.bulk_create(rows, ignore_conflicts=True, batch_size=1000)
    added = ExchangeRate.objects.filter(kind=ExchangeRate.Kind.ECB).count() - before
    if added:
        exchange_rates_changed(msp.pk)
        audit.record(by, "exchange_rates.imported", msp, added=added, newest=max(row.day for row in rows))
    return added
