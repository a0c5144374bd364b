"""Plans of an MSP, their versions, and what a version is made of."""

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from voice.rating.refusals import of_currency_and_zone

MOST_MICROS = 10**13
MOST_ROLL_OVER = 12


class Plan(models.Model):
    """What an MSP sells to customers, in one currency, with the zone whose days count."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="plans")
    name = models.TextField(_("name"), validators=[MaxLengthValidator(80)], help_text=_("Customers read it."))
    currency = models.CharField(_("currency"), max_length=3)
    zone = models.TextField(_("time zone"), default="UTC", help_text=_("Months and days are counted by its clock."))
    note = models.TextField(_("note"), blank=True, validators=[MaxLengthValidator(500)])
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "msp",
                Lower("name"),
                name="plans_plan_name_once",
                condition=Q(closed_at=None),
                violation_error_message=_("You already have a plan with this name."),
            ),
            models.CheckConstraint(
                name="plans_plan_has_name", condition=~Q(name=""), violation_error_message=_("Give the plan a name.")
            ),
            models.CheckConstraint(
                name="plans_plan_currency_code",
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
                violation_error_message=_("Use a currency code of three letters, for example EUR."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse what is no currency or zone, in words for the user."""
        wrong = of_currency_and_zone(self.currency, self.zone)
        if wrong:
            raise ValidationError(wrong)


class PlanVersion(models.Model):
    """What a plan is made of: a draft first, unchangeable once it is published. Contracts name the version."""

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        PUBLISHED = "published", _("Published")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    plan = models.ForeignKey(Plan, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.TextField(choices=State, default=State.DRAFT)
    effective_from = models.DateField(_("may be sold from"))
    # By which selling deck calls are priced; where there is none, the customer's deck stays what it is.
    deck = models.ForeignKey(
        "rating.RateDeck",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("prices per minute"),
        help_text=_("The selling deck that prices the calls of customers on this plan."),
    )
    note = models.TextField(_("note"), blank=True, validators=[MaxLengthValidator(500)])
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    published_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["plan", "number"], name="plans_version_number_once"),
            models.UniqueConstraint(
                fields=["plan"],
                condition=Q(state="draft"),
                name="plans_version_one_draft",
                violation_error_message=_("This plan has a draft already."),
            ),
            models.CheckConstraint(
                name="plans_version_published_when",
                condition=Q(state="draft", published_at=None) | Q(state="published", published_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.plan} {self.number}"

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT


class Component(models.Model):
    """One thing that a version asks for or gives: a fee, included minutes, tiers, a commitment, a discount."""

    class Kind(models.TextChoices):
        MONTHLY = "monthly", _("Monthly fee")
        ONCE = "once", _("One-off fee")
        EMERGENCY = "emergency", _("Emergency surcharge")
        CALL = "call", _("Price per call")
        MINUTES = "minutes", _("Included minutes")
        TIERS = "tiers", _("Price by volume")
        COMMITMENT = "commitment", _("Minimum commitment")
        DISCOUNT = "discount", _("Discount")

    class Per(models.TextChoices):
        CONTRACT = "contract", _("contract")
        SEAT = "seat", _("user")
        NUMBER = "number", _("phone number")
        TRUNK = "trunk", _("trunk")
        CHANNEL = "channel", _("channel (call at the same time)")

    class Pool(models.TextChoices):
        SHARED = "shared", _("So many, shared by all")
        SEAT = "seat", _("So many for each user, shared by all")
        OWN = "own", _("So many for each user, not shared")

    class Scope(models.TextChoices):
        ALL = "all", _("Fees and calls")
        FEES = "fees", _("Fees")
        CALLS = "calls", _("Calls")

    class TaxClass(models.TextChoices):
        TELECOM = "telecom", _("Telecommunication")
        SERVICE = "service", _("Other service")
        GOODS = "goods", _("Goods")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    version = models.ForeignKey(PlanVersion, models.CASCADE, related_name="components")
    position = models.PositiveIntegerField(default=0)
    kind = models.TextField(_("kind"), choices=Kind)
    name = models.TextField(
        _("name"), validators=[MaxLengthValidator(80)], help_text=_("As it stands on the customer's bill.")
    )
    # Micros: of a fee, a price per call, a commitment.
    amount = models.BigIntegerField(
        _("amount"), default=0, validators=[MinValueValidator(0), MaxValueValidator(MOST_MICROS)]
    )
    per = models.TextField(_("for each"), choices=Per, default=Per.CONTRACT)
    minutes = models.PositiveIntegerField(_("minutes"), default=0, validators=[MaxValueValidator(10_000_000)])
    pool = models.TextField(_("whose minutes"), choices=Pool, default=Pool.SHARED)
    roll_over = models.PositiveSmallIntegerField(
        _("months that what is left may be used later"), default=0, validators=[MaxValueValidator(MOST_ROLL_OVER)]
    )
    destinations = ArrayField(
        models.TextField(),
        verbose_name=_("destinations"),
        default=list,
        blank=True,
        help_text=_("As the deck calls them, one a line; empty for all."),
    )
    # Of a discount: millionths, what it is on, and for how many months; null for as long as the contract.
    per_million = models.PositiveIntegerField(_("percent"), default=0, validators=[MaxValueValidator(1_000_000)])
    scope = models.TextField(_("on"), choices=Scope, default=Scope.ALL)
    months = models.PositiveSmallIntegerField(
        _("months"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(120)]
    )
    optional = models.BooleanField(
        _("add-on"), default=False, help_text=_("Only for contracts that order it, as often as they do.")
    )
    tax_class = models.TextField(_("for tax"), choices=TaxClass, default=TaxClass.TELECOM)
    row_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "version",
                Lower("name"),
                name="plans_component_name_once",
                violation_error_message=_("This version has something of this name already."),
            ),
            models.CheckConstraint(
                name="plans_component_has_name",
                condition=~Q(name=""),
                violation_error_message=_("Give it the name that the bill shows."),
            ),
            models.CheckConstraint(
                name="plans_component_amounts",
                condition=Q(amount__gte=0, amount__lte=MOST_MICROS, per_million__lte=1_000_000),
                violation_error_message=_("An amount is not below zero, a discount at most 100 %."),
            ),
            models.CheckConstraint(
                name="plans_component_minutes",
                condition=~Q(kind="minutes") | Q(minutes__gte=1),
                violation_error_message=_("Say how many minutes are included."),
            ),
            models.CheckConstraint(
                name="plans_component_optional",
                condition=Q(optional=False) | Q(kind__in=["monthly", "once", "minutes"]),
                violation_error_message=_("Only fees and included minutes can be add-ons."),
            ),
            models.CheckConstraint(
                name="plans_component_discount",
                condition=~Q(kind="discount") | Q(per_million__gte=1),
                violation_error_message=_("Say how many percent the discount is."),
            ),
        ]
        indexes = [models.Index(fields=["version", "position"], name="plans_component_order")]

    def __str__(self) -> str:
        return self.name


class ComponentTier(models.Model):
    """One tier of a price by volume: minutes of the month up to a limit; null for all further ones."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+", db_index=False)
    component = models.ForeignKey(Component, models.CASCADE, related_name="tiers")
    up_to = models.PositiveIntegerField(null=True)
    per_minute = models.BigIntegerField(validators=[MinValueValidator(0)])

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["component", "up_to"], name="plans_tier_limit_once", nulls_distinct=False),
            models.CheckConstraint(
                name="plans_tier_amount", condition=Q(per_minute__gte=0) & (Q(up_to=None) | Q(up_to__gte=1))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.up_to or '…'} {self.per_minute}"
