"""What a customer has ordered: its contract, the plans of its days, add-ons, credits."""

from django.core.validators import MaxLengthValidator, MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from voice.plans.models.plans import MOST_MICROS, PlanVersion
from voice.plans.terms import Term


class Owned(models.Model):
    """A row of one customer's contract; customer and MSP stand in it, so that the database knows whose it is."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+")

    class Meta:
        abstract = True


class Contract(Owned):
    """An agreement with a customer from a day on: how long it binds, when it ends, until when it is on trial."""

    starts = models.DateField(_("starts on"))
    term_months = models.PositiveSmallIntegerField(
        _("term"), default=12, validators=[MaxValueValidator(120)], help_text=_("months; 0 binds nobody")
    )
    renewal_months = models.PositiveSmallIntegerField(
        _("goes on by"),
        default=0,
        validators=[MaxValueValidator(120)],
        help_text=_("months, unless notice is given; 0: after its term it can end on any day"),
    )
    notice_days = models.PositiveSmallIntegerField(
        _("notice"), default=30, validators=[MaxValueValidator(730)], help_text=_("days")
    )
    trial_until = models.DateField(
        _("trial until"), null=True, blank=True, help_text=_("The first day with monthly fees. Calls cost always.")
    )
    reference = models.TextField(_("your reference"), blank=True, validators=[MaxLengthValidator(80)])
    # The first day without contract, once notice is given.
    ends = models.DateField(null=True, editable=False)
    noticed_on = models.DateField(null=True, editable=False)
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [
            models.Index(fields=["tenant", "starts"], name="plans_contract_customer"),
            models.Index(fields=["msp", "-id"], name="plans_contract_newest"),
        ]
        constraints = [
            models.CheckConstraint(name="plans_contract_ends_later", condition=Q(ends=None) | Q(ends__gte=F("starts"))),
            models.CheckConstraint(
                name="plans_contract_trial_later",
                condition=Q(trial_until=None) | Q(trial_until__gte=F("starts")),
                violation_error_message=_("A trial ends after the contract starts."),
            ),
        ]

    def __str__(self) -> str:
        return self.reference or f"{self.starts:%Y-%m-%d}"

    @property
    def term(self) -> Term:
        return Term(self.starts, self.term_months, self.renewal_months, self.notice_days)


class PhaseQuerySet(models.QuerySet["Phase"]):
    def held(self) -> "PhaseQuerySet":
        """Return those that hold on some day: of a change that was given up none is left."""
        return self.exclude(ends=F("begins"))


class Phase(Owned):
    """The days for which one version of a plan holds for a customer; never two on one day."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="phases")
    version = models.ForeignKey(PlanVersion, models.PROTECT, related_name="phases")
    begins = models.DateField()
    ends = models.DateField(null=True)

    objects = PhaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(name="plans_phase_ends_later", condition=Q(ends=None) | Q(ends__gte=F("begins"))),
        ]
        indexes = [models.Index(fields=["tenant", "begins"], name="plans_phase_customer")]

    def __str__(self) -> str:
        return f"{self.version_id} {self.begins}"


class AddOn(Owned):
    """Something that the contract's plan offers as an add-on, by its name, so often and for these days."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="add_ons")
    name = models.TextField(_("add-on"), validators=[MaxLengthValidator(80)])
    quantity = models.PositiveIntegerField(
        _("how many"), default=1, validators=[MinValueValidator(1), MaxValueValidator(100_000)]
    )
    begins = models.DateField(_("from"))
    ends = models.DateField(_("until"), null=True, blank=True, help_text=_("The first day without it."))

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="plans_addon_ends_later",
                condition=Q(ends=None) | Q(ends__gte=F("begins")),
                violation_error_message=_("It ends after it begins."),
            ),
            models.CheckConstraint(name="plans_addon_quantity", condition=Q(quantity__gte=1)),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.name}"


class Credit(Owned):
    """Money given back for a month, such as a credit for a service level that was missed, with its reason."""

    contract = models.ForeignKey(Contract, models.PROTECT, related_name="credits")
    month = models.DateField(_("month"))
    amount = models.BigIntegerField(_("amount"), validators=[MinValueValidator(1), MaxValueValidator(MOST_MICROS)])
    reason = models.TextField(
        _("reason"), validators=[MaxLengthValidator(200)], help_text=_("The customer's bill shows it.")
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="plans_credit_amount",
                condition=Q(amount__gte=1),
                violation_error_message=_("A credit is more than nothing."),
            ),
            models.CheckConstraint(name="plans_credit_first_of_month", condition=Q(month__day=1)),
            models.CheckConstraint(
                name="plans_credit_has_reason",
                condition=~Q(reason=""),
                violation_error_message=_("Say why: the bill shows it."),
            ),
        ]

    def __str__(self) -> str:
        return self.reason


class DrawnPeriod(Owned):
    """What the calls of one bill drew from allowances: written once, with the bill, so that what is left is certain."""

    # Half-open days of the bill, and the bill that names them.
    begins = models.DateField()
    ends = models.DateField()
    reference = models.TextField()
    # [[allowance, user with minutes of its own, day from which it was given, seconds]]
    drawn = models.JSONField(default=list)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "reference"], name="plans_drawn_once"),
            models.CheckConstraint(name="plans_drawn_ends_later", condition=Q(ends__gt=F("begins"))),
        ]

    def __str__(self) -> str:
        return self.reference
