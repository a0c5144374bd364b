"""Writes to decks: their facts, who pays and costs by them, rates set by hand. Files come in by `imports`."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F, Max, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from tenants.models import Customer
from voice.carriers.models import Trunk
from voice.edits import facts, locked
from voice.rating import storing
from voice.rating.band_codec import read_bands
from voice.rating.bands import BadBands
from voice.rating.comparing import Comparison, compare
from voice.rating.files.lines import Line
from voice.rating.models import CustomerDeck, DeckRate, DeckVersion, RateDeck, TrunkDeck
from voice.rating.ranking import deck_changed, prices_changed, selling_deck_changed

# Buying decks have an area of the log of their own: it is for those who may see costs.
AREAS = {RateDeck.Kind.SELL: "deck", RateDeck.Kind.BUY: "buying_deck"}
DECK_FACTS = ("name", "kind", "currency", "zone", "free", "bands", "note")
State = DeckVersion.State


@transaction.atomic
def save_deck(deck: RateDeck, *, by: Actor) -> RateDeck:
    """Store a new or changed deck; what its rates are counted in stays once it has rates.

    Raises ValidationError.
    """
    stored = locked(deck)
    if stored is not None and (stored.currency, stored.kind) != (deck.currency, deck.kind) and deck.rates.exists():
        raise ValidationError(_("A deck with rates keeps its currency and its kind. Make a new deck."))
    _check_bands(deck)
    deck.full_clean()
    deck.row_version += 1
    deck.save()
    deck_changed(deck)
    note(deck, "saved", by=by, before=facts(stored, DECK_FACTS), after=facts(deck, DECK_FACTS))
    return deck


def _check_bands(deck: RateDeck) -> None:
    try:
        bands = read_bands(deck.bands, deck.zone)
    except BadBands as error:
        raise ValidationError({"bands": str(error)})
    if deck.pk:
        known = {window.band for window in bands.windows} if bands else set()
        used = DeckRate.objects.filter(deck=deck).exclude(band_prices={}).values_list("band_prices", flat=True)
        named = {band for prices in used.distinct()[:10_000] for band in prices}
        if named - known:
            words = _("Rates of this deck name the bands %(bands)s; they cannot be taken away.")
            raise ValidationError({"bands": words % {"bands": ", ".join(sorted(named - known))}})


@transaction.atomic
def close_deck(deck: RateDeck, *, by: Actor) -> None:
    """Take a deck out of use; its rates stay, for the calls that they priced. Raises ValidationError while used."""
    stored = _open_as_seen(deck, deck.row_version)
    now = timezone.now()
    for assigned in (CustomerDeck, TrunkDeck):
        if assigned.objects.filter(Q(ends=None) | Q(ends__gt=now), deck=stored).exists():
            raise ValidationError(_("Somebody is priced by this deck. Give them another one first."))
    stored.closed_at = now
    stored.row_version += 1
    stored.save(update_fields=["closed_at", "row_version"])
    note(stored, "closed", by=by)


@transaction.atomic
def assign_customer(customer: Customer, deck: RateDeck | None, *, begins: datetime, by: Actor) -> CustomerDeck | None:
    """Let a customer pay by a selling deck from a moment on, or by none; what was planned for later stays.

    Raises ValidationError.
    """
    _check_deck(deck, RateDeck.Kind.SELL, customer.msp_id)
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    new = CustomerDeck(msp_id=customer.msp_id, tenant=customer, deck=deck, begins=begins) if deck else None
    _assign(CustomerDeck.objects.filter(tenant=customer), new, begins)
    selling_deck_changed(customer)
    audit.record(by, "customer_deck.assigned", customer, deck=str(deck) if deck else "", begins=begins)
    return new


@transaction.atomic
def withdraw_customer(customer: Customer, deck: RateDeck, *, begins: datetime, by: Actor) -> None:
    """Take back that a customer pays by a deck from a moment on, where it still does: the deck before goes on."""
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    spans = CustomerDeck.objects.filter(tenant=customer).exclude(ends=F("begins"))
    held = spans.filter(deck=deck, begins=begins).first()
    if held is None:
        return
    before = spans.filter(ends=begins).first()
    limit, held.ends = held.ends, begins
    held.save(update_fields=["ends"])
    if before is not None:
        before.ends = limit
        before.save(update_fields=["ends"])
    selling_deck_changed(customer)
    audit.record(by, "customer_deck.withdrawn", customer, deck=str(deck), begins=begins)


@transaction.atomic
def assign_trunk(trunk: Trunk, deck: RateDeck | None, *, begins: datetime, by: Actor) -> TrunkDeck | None:
    """Let a trunk cost by a buying deck from a moment on, or by none; what was planned for later stays.

    Raises ValidationError.
    """
    _check_deck(deck, RateDeck.Kind.BUY, trunk.msp_id)
    if trunk.tenant_id is not None:
        raise ValidationError(_("A customer pays its own trunk itself."))
    Trunk.objects.select_for_update(of=("self",), no_key=True).get(pk=trunk.pk)
    new = TrunkDeck(msp_id=trunk.msp_id, trunk=trunk.pk, deck=deck, begins=begins) if deck else None
    _assign(TrunkDeck.objects.filter(trunk=trunk.pk), new, begins)
    prices_changed(trunk.msp_id)
    audit.record(by, "trunk_deck.assigned", trunk, deck=str(deck) if deck else "", begins=begins)
    return new


def _check_deck(deck: RateDeck | None, kind: str, msp: int) -> None:
    if deck is not None and (deck.msp_id != msp or deck.kind != kind or deck.closed_at is not None):
        words = _("Choose one of your selling decks.") if kind == "sell" else _("Choose one of your buying decks.")
        raise ValidationError({"deck": words})


def _assign(spans: Any, new: CustomerDeck | TrunkDeck | None, begins: datetime) -> None:
    held = spans.filter(Q(ends=None) | Q(ends__gt=begins), begins__lte=begins).exclude(ends=F("begins")).first()
    if held is not None:
        limit, held.ends = held.ends, begins
        held.save(update_fields=["ends"])
    else:
        later = spans.filter(begins__gt=begins).exclude(ends=F("begins")).order_by("begins").first()
        limit = later.begins if later else None
    if new is not None:
        new.ends = limit
        new.save()


@transaction.atomic
def put_rates(
    deck: RateDeck, lines: Iterable[Line], *, at: datetime, by: Actor, note: str = "", full: bool = False,
    seen: int | None = None,
) -> DeckVersion:  # fmt: skip
    """Make a version of lines that need no looking at, such as one rate set by hand, and activate it.

    `seen` is the row version of the deck that the editor looked at. Raises ValidationError when nothing changes,
    StaleEdit when somebody else changed the deck meanwhile.
    """
    stored = _open_as_seen(deck, seen)
    found = compare(storing.running(stored, at), lines, at, full=full)
    if not found.changes:
        raise ValidationError(_("The deck has this price already."))
    version = new_version(stored, at=at, by=by, note=note, full=full)
    storing.write_changes(version, found.changes)
    return activate(version, stored, by=by, counts=found)


def new_version(deck: RateDeck, *, at: datetime, by: Actor, note: str = "", full: bool = False) -> DeckVersion:
    """Return the deck's next version, a draft; the deck is under lock."""
    last = DeckVersion.objects.filter(deck=deck).aggregate(last=Max("number"))["last"] or 0
    version = DeckVersion(
        deck=deck, msp_id=deck.msp_id, number=last + 1, effective_from=at, note=note, full=full, imported_by=by.email
    )
    version.full_clean()
    version.save()
    return version


def activate(version: DeckVersion, deck: RateDeck, *, by: Actor, counts: Comparison | None = None) -> DeckVersion:
    """Make a draft's lines rates of its deck, which is under lock; from when they hold is said by the rows alone."""
    storing.apply_lines(version)
    if counts is not None:
        version.summary = {"counts": counts.counts, "same": counts.same}
    version.state, version.activated_at = State.ACTIVE, timezone.now()
    version.save(update_fields=["state", "activated_at", "summary"])
    deck.row_version += 1
    deck.save(update_fields=["row_version", "mapping"])
    deck_changed(deck)
    changed = version.summary.get("counts", {})
    note(deck, "version_activated", by=by, version=version.number, effective_from=version.effective_from, **changed)
    return version


def open_deck(deck: RateDeck) -> RateDeck:
    """Return the deck under lock; raises ValidationError when it is closed."""
    stored = RateDeck.objects.select_for_update(of=("self",), no_key=True).get(pk=deck.pk)
    if stored.closed_at is not None:
        raise ValidationError(_("This deck is closed."))
    return stored


def _open_as_seen(deck: RateDeck, seen: int | None) -> RateDeck:
    stored = open_deck(deck)
    if seen is not None and stored.row_version != seen:
        raise StaleEdit(deck)
    return stored


def note(deck: RateDeck, what: str, *, by: Actor, **facts: Any) -> None:
    """Note in the audit log what somebody did to a deck."""
    audit.record(by, f"{AREAS[RateDeck.Kind(deck.kind)]}.{what}", deck, **facts)
