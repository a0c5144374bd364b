"""Decks of rates as they are stored, their versions, and who pays or costs by which.

Nothing here wakes at a date: what holds when is said by `begins` and `ends` of the rows (half-open), and pricing looks
at the call's answer. A version that was approved for the first of the month needs no job at midnight.
"""

import zoneinfo
from datetime import datetime, timedelta
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from voice.rating.decks import Direction
from voice.rating.refusals import of_currency_and_zone

# A price list that nobody activated by then is out of date.
DRAFTS_KEPT = timedelta(days=30)
DIGITS = r"^[0-9]{0,15}$"


def free_by_default() -> list[str]:
    """Return the directions that cost nothing where a deck says nothing else."""
    return [Direction.INTERNAL.value, Direction.EMERGENCY.value]


class RateDeck(models.Model):
    """A list of rates in one currency: what a carrier asks for calls (buy), or what customers pay (sell)."""

    class Kind(models.TextChoices):
        BUY = "buy", _("Buying")
        SELL = "sell", _("Selling")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="decks")
    name = models.TextField(_("name"), validators=[MaxLengthValidator(80)])
    kind = models.TextField(_("kind"), choices=Kind)
    currency = models.CharField(_("currency"), max_length=3)
    zone = models.TextField(_("time zone"), default="UTC")
    free = ArrayField(models.TextField(), verbose_name=_("free of charge"), default=free_by_default, blank=True)
    # Windows and holidays as `band_codec` reads them; null where prices do not depend on the clock.
    bands = models.JSONField(_("time bands"), null=True, blank=True)
    # How the last file was read, proposed for the next one.
    mapping = models.JSONField(default=dict, editable=False)
    note = models.TextField(_("note"), blank=True, validators=[MaxLengthValidator(500)])
    # Counts every change of the deck or of its rates: processes know by it whether what they hold is still true.
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "msp",
                Lower("name"),
                name="rating_deck_name_once",
                condition=Q(closed_at=None),
                violation_error_message=_("You already have a deck with this name."),
            ),
            models.CheckConstraint(
                name="rating_deck_has_name", condition=~Q(name=""), violation_error_message=_("Give the deck a name.")
            ),
            models.CheckConstraint(
                name="rating_deck_kind_known",
                condition=Q(kind__in=["buy", "sell"]),
                violation_error_message=_("A deck is for buying or for selling."),
            ),
            models.CheckConstraint(
                name="rating_deck_currency_code",
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
                violation_error_message=_("Use a currency code of three letters, for example EUR."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse what is no currency, zone or direction, in words for the user."""
        wrong = of_currency_and_zone(self.currency, self.zone)
        if not set(self.free) <= set(Direction):
            wrong["free"] = _("Choose among the directions offered.")
        if wrong:
            raise ValidationError(wrong)

    @property
    def tzinfo(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.zone)


class DeckVersion(models.Model):
    """A change of a deck: a draft while it is looked at, then part of the deck from `effective_from` on."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        SCHEDULED = "scheduled", _("Scheduled")
        ACTIVE = "active", _("Active")
        DISCARDED = "discarded", _("Discarded")

    # What is in the table; that an active version is still to come is a matter of the clock.
    STORED: ClassVar[tuple[str, ...]] = (State.DRAFT, State.ACTIVE, State.DISCARDED)

    deck = models.ForeignKey(RateDeck, models.PROTECT, related_name="versions", db_index=False)
    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    state = models.TextField(choices=State, default=State.DRAFT)
    effective_from = models.DateTimeField(_("in force from"))
    full = models.BooleanField(default=False)
    note = models.TextField(_("note"), blank=True, validators=[MaxLengthValidator(500)])
    summary = models.JSONField(default=dict, editable=False)
    imported_by = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    activated_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["deck", "number"], name="rating_version_number_once"),
            models.CheckConstraint(
                name="rating_version_state_known", condition=Q(state__in=["draft", "active", "discarded"])
            ),
        ]

    def __str__(self) -> str:
        return f"{self.deck} {self.number}"

    @property
    def state_now(self) -> str:
        """The state as people see it: an active version that is still to come is scheduled."""
        return self.state_at(timezone.now())

    @property
    def expires_at(self) -> datetime:
        """When the version is dropped if it is still a draft then."""
        return self.created_at + DRAFTS_KEPT

    def state_at(self, moment: datetime) -> str:
        """Return the state at a moment."""
        waits = self.state == self.State.ACTIVE and self.effective_from > moment
        return str(self.State.SCHEDULED if waits else self.state)


class DeckRate(models.Model):
    """A rate of a deck, from `begins` up to `ends`; one that was replaced before it ever held ends as it begins.

    Rates are ended and never changed: a charge can always name the one that priced it.
    """

    deck = models.ForeignKey(RateDeck, models.PROTECT, related_name="rates", db_index=False)
    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+", db_index=False)
    version = models.ForeignKey(DeckVersion, models.PROTECT, related_name="rates")
    direction = models.TextField(_("direction"), default=Direction.OUT.value)
    prefix = models.TextField(_("prefix"), blank=True)
    callers = models.TextField(_("callers"), blank=True, default="")
    destination = models.TextField(_("destination"), blank=True)
    # Amounts are micros, lengths seconds.
    per_minute = models.BigIntegerField(_("per minute"))
    fee = models.BigIntegerField(_("connection fee"), default=0)
    minimum = models.PositiveIntegerField(default=1)
    increment = models.PositiveIntegerField(default=1)
    grace = models.PositiveIntegerField(default=0)
    minimum_charge = models.BigIntegerField(default=0)
    maximum_charge = models.BigIntegerField(null=True)
    blocked = models.BooleanField(default=False)
    # {band: [micros per minute, fee]}
    band_prices = models.JSONField(default=dict)
    begins = models.DateTimeField()
    ends = models.DateTimeField(null=True)
    ended_by = models.ForeignKey(DeckVersion, models.PROTECT, null=True, related_name="ended")

    class Meta:
        constraints = [
            # Half of "never two at the same time"; the trigger of the migration refuses the other overlaps.
            models.UniqueConstraint(
                fields=["deck", "prefix", "direction", "callers"], condition=Q(ends=None), name="rating_rate_one_open"
            ),
            models.CheckConstraint(
                name="rating_rate_shape",
                condition=Q(
                    prefix__regex=DIGITS, callers__regex=DIGITS, direction__in=[each.value for each in Direction]
                ),
            ),
            models.CheckConstraint(
                name="rating_rate_amounts",
                condition=Q(per_minute__gte=0, fee__gte=0, minimum_charge__gte=0, increment__gte=1)
                & (Q(maximum_charge=None) | Q(maximum_charge__gte=F("minimum_charge"))),
            ),
            models.CheckConstraint(name="rating_rate_ends_later", condition=Q(ends=None) | Q(ends__gte=F("begins"))),
        ]
        indexes = [models.Index(fields=["deck", "prefix", "direction", "callers", "begins"], name="rating_rate_key")]

    def __str__(self) -> str:
        return f"{self.prefix} {self.destination}"


class Assigned(models.Model):
    """By which deck something is priced, from `begins` up to `ends`; never by two at the same time."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    deck = models.ForeignKey(RateDeck, models.PROTECT, related_name="+")
    begins = models.DateTimeField(_("from"))
    ends = models.DateTimeField(_("until"), null=True, blank=True)

    class Meta:
        abstract = True


class CustomerDeck(Assigned):
    """The deck by which a customer pays for its calls."""

    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+", db_index=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant"], condition=Q(ends=None), name="rating_customerdeck_one_open"),
            models.CheckConstraint(
                name="rating_customerdeck_ends_later", condition=Q(ends=None) | Q(ends__gte=F("begins"))
            ),
        ]
        indexes = [models.Index(fields=["tenant", "begins"], name="rating_customerdeck_time")]

    def __str__(self) -> str:
        return f"{self.tenant_id} → {self.deck_id}"


class TrunkDeck(Assigned):
    """The deck by which a trunk's carrier asks for its calls."""

    trunk = models.BigIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["trunk"], condition=Q(ends=None), name="rating_trunkdeck_one_open"),
            models.CheckConstraint(
                name="rating_trunkdeck_ends_later", condition=Q(ends=None) | Q(ends__gte=F("begins"))
            ),
        ]
        indexes = [models.Index(fields=["trunk", "begins"], name="rating_trunkdeck_time")]

    def __str__(self) -> str:
        return f"g{self.trunk} → {self.deck_id}"
