"""How long what is kept, what a dispute or a court keeps longer, and what the monthly erasure took away."""

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tenants.models.customer import Customer
from tenants.models.platform import Msp


class DataClass(models.TextChoices):
    """Kinds of data whose time runs by itself."""

    CALLS = "calls", _("Call records")
    CHARGES = "charges", _("Charges and costs of calls")
    EMERGENCY = "emergency", _("Records of emergency calls")
    MINUTES = "minutes", _("Counts by minute")
    COUNTS = "counts", _("Counts by hour and day")
    LIVE = "live", _("Calls in progress")
    EVENTS = "events", _("Alarms that are over")
    REVISIONS = "revisions", _("Old configuration of the SBCs")
    QUARANTINE = "quarantine", _("Records kept aside")
    FEED = "feed", _("Messages to other billing systems")
    UNBOOKED = "unbooked", _("Bank and card details that became no payment")
    BOOKS = "books", _("Books: invoices, payments and the ledger")
    VOUCHERS = "vouchers", _("Records of banks, cards and invoice runs, carriers' invoices")
    LETTERS = "letters", _("Reminders, questions about bills, ended contracts")
    JOBS = "jobs", _("Imports, exports and their files")
    ACCESS = "access", _("Sign-ins and invitations that are over")
    AUDIT = "audit", _("Audit log")

    @property
    def is_of_company(self) -> bool:
        """Whether the law of the company that bills says how long, and not that of the customer."""
        return self in (DataClass.BOOKS, DataClass.UNBOOKED, DataClass.VOUCHERS, DataClass.LETTERS)

    @property
    def runs_from_year_end(self) -> bool:
        """Whether the time begins with the end of the calendar year, as it does for what a business has to keep."""
        return self in (DataClass.BOOKS, DataClass.VOUCHERS, DataClass.LETTERS)


class RetentionRule(models.Model):
    """How many days data of one class is kept, in one country or (blank) in each that has no rule of its own.

    The country is the customer's, or that of the company that bills it: the class says which.
    """

    data_class = models.TextField(_("what"), choices=DataClass.choices)
    country = models.TextField(_("country"), blank=True)
    days = models.PositiveIntegerField(_("days"))
    reason = models.TextField(_("why so long"), validators=[MaxLengthValidator(500)])
    source = models.TextField(_("source"), validators=[MaxLengthValidator(300)])
    row_version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["data_class", "country"],
                name="tenants_retentionrule_once",
                violation_error_message=_("There is a rule for this data and country already."),
            ),
            models.CheckConstraint(
                name="tenants_retentionrule_country_shape",
                condition=Q(country__regex=r"^([A-Z]{2})?$"),
                violation_error_message=_("Choose a country of the list."),
            ),
            models.CheckConstraint(
                name="tenants_retentionrule_days",
                condition=Q(days__gte=1, days__lte=4000),
                violation_error_message=_("Keep data for 1 to 4,000 days."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_data_class_display()} {self.country}".strip()


class LegalHold(models.Model):
    """Keeps a customer's data, or one call's, beyond its time: a dispute, an order of a court."""

    msp = models.ForeignKey(Msp, models.PROTECT, related_name="+", db_constraint=False)
    tenant = models.ForeignKey(
        Customer, models.PROTECT, related_name="+", db_constraint=False, verbose_name=_("customer")
    )
    call = models.UUIDField(_("one call only"), null=True, blank=True)
    case = models.TextField(_("case"), validators=[MaxLengthValidator(100)])
    reason = models.TextField(_("reason"), validators=[MaxLengthValidator(1000)])
    review = models.DateField(_("look at it again on"))
    placed_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True, blank=True, editable=False)
    released_for = models.TextField(blank=True, editable=False)

    class Meta:
        indexes = [models.Index(fields=["tenant"], condition=Q(released_at=None), name="tenants_legalhold_open")]
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "call", "case"],
                condition=Q(released_at=None),
                nulls_distinct=False,
                name="tenants_legalhold_once",
                violation_error_message=_("This case holds the same data already."),
            )
        ]

    def __str__(self) -> str:
        return self.case


class Erasure(models.Model):
    """One run of the erasure: what it took away stands in its lines."""

    month = models.DateField(null=True)  # the monthly run of this month; empty where a person asked for it
    asked_by = models.TextField()
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["month"], condition=Q(error="", month__isnull=False), name="tenants_erasure_once_a_month"
            )
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M}"


class ErasureLine(models.Model):
    """What a run found older than its time, took away and left, of one class, country and MSP.

    It is counted before and after: what is left can only be what a hold keeps.
    """

    erasure = models.ForeignKey(Erasure, models.CASCADE, related_name="lines")
    data_class = models.TextField(choices=DataClass.choices)
    table = models.TextField()
    country = models.TextField(blank=True)
    msp = models.ForeignKey(Msp, models.PROTECT, null=True, related_name="+", db_constraint=False)
    days = models.PositiveIntegerField()
    before = models.DateTimeField()  # everything older than this was due
    rows_before = models.PositiveBigIntegerField()
    rows_removed = models.PositiveBigIntegerField()
    rows_held = models.PositiveBigIntegerField()
    rows_after = models.PositiveBigIntegerField()

    def __str__(self) -> str:
        return f"{self.get_data_class_display()} {self.country}".strip()

    @property
    def is_proven(self) -> bool:
        return self.rows_after <= self.rows_held
