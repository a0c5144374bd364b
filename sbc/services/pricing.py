"""Tables of prices for the nodes: made beside the queue of saves, because ranking 100,000 codes takes seconds."""

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q, QuerySet
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.db import contexts
from sbc.compiler import price_rows
from sbc.models import Alarm
from sbc.services.alarms import close_alarms, raise_alarm
from tenants.models import Customer, Msp
from tenants.scopes import config_changed
from voice.carriers.models import Trunk
from voice.rating.cheapest import Span, Table, loss_table, main_currency, rank_table
from voice.rating.decks import Deck
from voice.rating.loading import decks_for, spans_of_customers, spans_of_trunks
from voice.rating.losses import losses
from voice.rating.models import CustomerDeck, PriceTables, PriceUse, RateDeck
from voice.rating.ranking import with_protection
from voice.rating.storing import asked
from voice.rating.typical import TypicalCall
from voice.routing.yardstick import Yardstick, yardstick

logger = logging.getLogger(__name__)
# A node knows the prices of so many days without its portal.
HORIZON, AT_LEAST_EVERY = timedelta(days=35), timedelta(days=7)
WORST = 50
_LOCK = 7310


def make_price_tables() -> int:
    """Make the tables of every MSP whose prices may have changed, and return of how many."""
    with contexts.ingest():
        stale = PriceTables.objects.filter(Q(wanted__gt=F("made")) | Q(next_at__lte=now()))
        msps = list(stale.order_by("pk").values_list("msp_id", flat=True))
    made = 0
    for msp in msps:
        try:
            made += make_tables_of(msp)
        except Exception as error:
            # One MSP's odd deck must not hold up the others'; its nodes keep what they have.
            logger.exception("the prices of msp:%s cannot be ranked", msp)
            _complain(msp, error)
    return made


def _complain(msp_id: int, error: Exception) -> None:
    """Raise the alarm, and try again in a minute: not at each sweep."""
    text = _("The decks cannot be ranked, so that lines by price go by what held before: %(error)s")
    with contexts.ingest(), transaction.atomic():
        raise_alarm(
            Alarm.Kind.COMPILE, text % {"error": str(error)[:300]}, at=now(), msp_id=msp_id, subject=f"prices:{msp_id}"
        )
        later = now() + timedelta(minutes=1)
        PriceTables.objects.filter(pk=msp_id).update(made=F("wanted"), next_at=later)


def make_tables_of(msp_id: int) -> bool:
    """Make one MSP's tables anew, unless somebody else is at it; its nodes get what is different."""
    with contexts.ingest(), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK, msp_id])
        if not cursor.fetchone()[0]:
            return False
        at = now()
        # Read without a lock: who raises `wanted` meanwhile does not wait, and has it made once more.
        before = PriceTables.objects.get(pk=msp_id)
        protecting = _protecting(msp_id, at)
        spans, decks = tariff_of(msp_id, protecting)
        priced = list(_pricing_now(msp_id, spans, at))
        currencies = {deck.currency for deck in decks.values()} | {deck.currency for deck in priced}
        by = yardstick(Msp(pk=msp_id), main_currency(spans, decks, _millis(at)), currencies)
        tables = _tables(msp_id, spans, decks, protecting, by.call, at)
        rows = [[row.table, row.key, row.value] for row in price_rows(msp_id, tables)]
        next_at = min(_changes(msp_id, tables.values(), by, at))
        facts = {"rows": rows, "next_at": next_at, "made_at": at, "losses": _losses(priced, by, at)}
        if rows != before.rows:
            config_changed(Msp(pk=msp_id))
        for customer in _changing_decks(msp_id, before.made_at, at):
            config_changed(customer)
        PriceTables.objects.filter(pk=msp_id).update(made=before.wanted, **facts)
        close_alarms([Alarm.Kind.COMPILE], at=at, subject=f"prices:{msp_id}")
    return True


def tariff_of(msp_id: int, sells: Iterable[int]) -> tuple[dict[str, list[Span]], dict[int, Deck]]:
    """Return by which decks the MSP's open trunks cost and when, and these decks and the selling ones."""
    trunks = Trunk.objects.open().shared().filter(msp=msp_id).order_by("pk")
    by_trunk = spans_of_trunks(trunks.values_list("pk", flat=True))
    spans = {f"g{trunk}": each.listed() for trunk, each in by_trunk.items()}
    wanted = {deck for each in spans.values() for _begin, _end, deck in each}.union(sells)
    return spans, {pk: loaded.deck for pk, loaded in decks_for(wanted).items()}


def _pricing_now(msp_id: int, spans: Mapping[str, Sequence[Span]], at: datetime) -> QuerySet[RateDeck]:
    """Return the decks by which trunks cost and customers pay at a moment."""
    begin = _millis(at)
    buying = {deck for each in spans.values() for begins, ends, deck in each if begins <= begin < ends}
    sold = CustomerDeck.objects.filter(Q(ends=None) | Q(ends__gt=at), msp=msp_id, begins__lte=at).values("deck")
    return RateDeck.objects.filter(Q(pk__in=buying) | Q(pk__in=sold)).order_by("name")


def _tables(
    msp_id: int, spans: dict[str, list[Span]], decks: dict[int, Deck], protecting: list[int], call: TypicalCall,
    at: datetime,
) -> dict[int, Table]:  # fmt: skip
    """Return the ranks of trunks under 0, and their losses by selling deck; none where nobody goes by them."""
    if not protecting and not PriceUse.objects.filter(msp=msp_id).exists():
        return {}
    begin, until = _millis(at), _millis(at + HORIZON)
    known = [sell for sell in protecting if sell in decks]
    losses = {sell: loss_table(spans, decks, sell, call, begin, until) for sell in known}
    return {0: rank_table(spans, decks, call, begin, until)} | losses


def _changes(msp_id: int, tables: Iterable[Table], by: Yardstick, at: datetime) -> Iterator[datetime]:
    """Yield the moments from which on the clock alone may make the tables stale."""
    yield at + AT_LEAST_EVERY * 4
    coming = CustomerDeck.objects.filter(msp=msp_id).exclude(ends=F("begins"))
    for name in ("begins", "ends"):
        yield from coming.filter(**{f"{name}__gt": at}).values_list(name, flat=True)
    for table in tables:
        times = table.timetable
        if len(times.states) > 1 or times.until < _millis(at + HORIZON):
            yield at + min(AT_LEAST_EVERY, (_moment(times.until) - at) / 2)
        # What has passed is a state too much.
        yield from (_moment(state.since) + timedelta(minutes=5) for state in times.states if state.since)
    if by.holds_until is not None:
        yield by.holds_until


def _protecting(msp_id: int, at: datetime) -> list[int]:
    """Return the selling decks below whose prices calls of some customer may not go, now or as planned."""
    customers = with_protection(Customer.objects.filter(msp=msp_id).exclude(state="closed"), at)
    guarded = [customer.pk for customer in customers if customer.loss_mode == "refuse"]
    spans = (span for each in spans_of_customers(guarded).values() for span in each.listed())
    begin, until = _millis(at), _millis(at + HORIZON)
    return sorted({deck for begins, ends, deck in spans if begins < until and ends > begin})


def _changing_decks(msp_id: int, since: datetime | None, at: datetime) -> list[Customer]:
    """Return the customers whose selling deck has become another one, by its dates alone."""
    if since is None:
        return []
    span = (since, at)
    changed = CustomerDeck.objects.filter(Q(begins__range=span) | Q(ends__range=span), msp=msp_id)
    customers = with_protection(Customer.objects.filter(msp=msp_id, pk__in=changed.values("tenant")), at)
    return [customer for customer in customers.order_by("pk") if customer.loss_mode == "refuse"]


def _losses(priced: Iterable[RateDeck], by: Yardstick, at: datetime) -> dict[str, Any]:
    """Return the codes at which a call by a selling deck brings less than it costs by the cheapest buying one."""
    sides: dict[str, list[tuple[str, dict[str, int]]]] = {"buy": [], "sell": []}
    skipped = []
    for deck in priced:
        if by.call.compares(deck.currency):
            sides[deck.kind].append((deck.name, by.call.costs(asked(deck, at), deck.currency)))
        else:
            skipped.append(deck.name)
    found = losses(sides["sell"], sides["buy"])
    return {
        "count": len(found), "worst": [asdict(loss) for loss in found[:WORST]], "currency": by.call.currency,
        "converted": [str(each) for each in by.conversions], "skipped": skipped,
    }  # fmt: skip


def _millis(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _moment(millis: int) -> datetime:
    return datetime.fromtimestamp(millis / 1000, UTC)
