"""What a carrier bills, call by call, held against what its trunks cost by our price lists."""

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from voice.calls.masking import NumbersQuerySet


class CarrierFormat(models.Model):
    """How the files of one carrier are read, as it was settled for the last one."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    carrier = models.OneToOneField("carriers.Carrier", models.CASCADE, related_name="invoice_format")
    # Headings by field, decimal mark, order of dates, zone, currency, tolerances.
    options = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return str(self.carrier)


class CarrierInvoice(models.Model):
    """A carrier's file of calls for a period: read with `options`, matched as a job, decided by a person."""

    class Stage(models.TextChoices):
        ASKING = "asking", _("Waiting for you")
        CHECKING = "checking", _("Checking")
        CHECKED = "checked", _("Compared")
        FAILED = "failed", _("Needs attention")

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DISPUTED = "disputed", _("Disputed")
        ACCEPTED = "accepted", _("Accepted")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    carrier = models.ForeignKey("carriers.Carrier", models.PROTECT, related_name="invoices", verbose_name=_("carrier"))
    number = models.TextField(_("invoice number"), blank=True, validators=[MaxLengthValidator(60)])
    name = models.TextField(_("file"), validators=[MaxLengthValidator(200)])
    begins = models.DateField(_("first day"))
    ends = models.DateField(_("last day"))
    zone = models.TextField(_("time zone of the file"), default="UTC")
    currency = models.TextField(_("currency"), default="EUR")
    time_tolerance = models.PositiveIntegerField(_("seconds that a call may begin earlier or later"), default=60)
    seconds_tolerance = models.PositiveIntegerField(_("seconds that a call may be longer or shorter"), default=1)
    content = models.BinaryField(blank=True)
    options = models.JSONField(default=dict, blank=True)
    stage = models.TextField(choices=Stage, default=Stage.CHECKING, editable=False)
    state = models.TextField(_("state"), choices=State, default=State.OPEN)
    note = models.TextField(_("note"), blank=True, validators=[MaxLengthValidator(2000)])
    message = models.TextField(blank=True, editable=False)
    summary = models.JSONField(default=dict, blank=True, editable=False)
    total = models.PositiveIntegerField(default=0, editable=False)
    bad = models.PositiveIntegerField(default=0, editable=False)
    # What the carrier asks beyond our costs; negative where it asks less.
    difference = models.BigIntegerField(default=0, editable=False)
    job_id = models.UUIDField(null=True, editable=False)
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["msp", "-id"], name="margin_carrierinvoice_newest")]
        constraints = [
            models.CheckConstraint(
                name="margin_carrierinvoice_period",
                condition=Q(ends__gte=F("begins")),
                violation_error_message=_("The period ends before it begins."),
            ),
            models.CheckConstraint(
                name="margin_carrierinvoice_currency",
                condition=Q(currency__regex=r"^[A-Z]{3}$"),
                violation_error_message=_("Use a currency code of three letters, for example EUR."),
            ),
            models.CheckConstraint(
                name="margin_carrierinvoice_tolerances",
                condition=Q(time_tolerance__lte=3600, seconds_tolerance__lte=60),
                violation_error_message=_("Allow at most an hour for the time, and a minute for the duration."),
            ),
            models.CheckConstraint(
                name="margin_carrierinvoice_dispute_says_why",
                condition=~Q(state="disputed", note=""),
                violation_error_message=_("Say in the note what you dispute."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.carrier} {self.number or self.name}"


class CarrierFault(models.Model):
    """What is wrong with one line of a carrier's file, in words."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+", db_index=False)
    invoice = models.ForeignKey(CarrierInvoice, models.CASCADE, related_name="faults", db_index=False)
    row = models.PositiveIntegerField()
    column = models.TextField(blank=True)
    value = models.TextField(blank=True)
    words = models.TextField()

    class Meta:
        indexes = [models.Index(fields=["invoice", "row"], name="margin_carrierfault_row")]

    def __str__(self) -> str:
        return f"{self.row}: {self.words}"


class CarrierCall(models.Model):
    """One call as the carrier bills it, as we counted it, or both; `difference` is theirs less ours.

    Of an invoice without calls it is one destination, with no number and at the beginning of the period.
    """

    class Kind(models.TextChoices):
        SAME = "same", _("Agrees")
        PRICE = "price", _("Other price")
        DURATION = "duration", _("Other duration")
        THEIRS = "theirs", _("Only theirs")
        OURS = "ours", _("Only ours")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+", db_index=False)
    invoice = models.ForeignKey(CarrierInvoice, models.CASCADE, related_name="calls", db_index=False)
    kind = models.TextField(choices=Kind)
    row = models.PositiveIntegerField(_("line"), null=True)
    called = models.TextField()
    at = models.DateTimeField()
    destination = models.TextField(blank=True)
    seconds = models.PositiveIntegerField(null=True)
    micros = models.BigIntegerField(null=True)
    our_seconds = models.PositiveIntegerField(null=True)
    our_micros = models.BigIntegerField(null=True)
    difference = models.BigIntegerField()
    tenant = models.ForeignKey(
        "tenants.Customer", models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    record = models.UUIDField(null=True)

    objects = NumbersQuerySet["CarrierCall"].as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["invoice", "kind", "-difference"], name="margin_carriercall_worst"),
            models.Index(fields=["at"], name="margin_carriercall_at"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.row or ''}"
