"""Invoice runs: a month of all customers of an MSP, collected, checked, approved by somebody, and issued."""

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class InvoiceRun(models.Model):
    """One month of one MSP. What is done stands in its customers' rows, so that a worker that dies loses nothing."""

    class State(models.TextChoices):
        COLLECTING = "collecting", _("Collecting")
        READY = "ready", _("To be approved")
        ISSUING = "issuing", _("Issuing")

    WORKING: ClassVar[tuple[str, ...]] = (State.COLLECTING, State.ISSUING)

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="invoice_runs")
    begins = models.DateField(_("from"))
    ends = models.DateField(_("until"))
    state = models.TextField(choices=State, default=State.COLLECTING)
    actor = models.JSONField(default=dict)
    job_id = models.UUIDField(null=True)
    # Of the last sign that somebody works on it; a sweep takes up what has been silent for long.
    touched_at = models.DateTimeField(auto_now_add=True)
    collected_at = models.DateTimeField(null=True)
    issue_on = models.DateField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["msp", "begins"],
                name="receivables_run_month_once",
                violation_error_message=_("This month has its run already: open it."),
            ),
            models.UniqueConstraint(
                fields=["msp"],
                condition=Q(state__in=("collecting", "issuing")),
                name="receivables_run_one_at_work",
                violation_error_message=_("Another run is at work: wait until it is through."),
            ),
            models.CheckConstraint(name="receivables_run_period", condition=Q(ends__gt=F("begins"))),
        ]

    def __str__(self) -> str:
        return f"{self.begins:%Y-%m}"

    @property
    def is_working(self) -> bool:
        return self.state in self.WORKING


class RunCustomer(models.Model):
    """What a run makes of one customer: an invoice, nothing, or a reason why not."""

    class State(models.TextChoices):
        WAITING = "waiting", _("Waiting")
        NOTHING = "nothing", _("Nothing to bill")
        LEFT_OUT = "left_out", _("Left out")
        DRAFTED = "drafted", _("To be approved")
        APPROVED = "approved", _("Approved")
        ISSUED = "issued", _("Issued")

    OPEN: ClassVar[tuple[str, ...]] = (State.WAITING, State.NOTHING, State.LEFT_OUT, State.DRAFTED)

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+", verbose_name=_("customer"))
    run = models.ForeignKey(InvoiceRun, models.CASCADE, related_name="customers")
    state = models.TextField(choices=State, default=State.WAITING)
    invoice = models.ForeignKey("receivables.Invoice", models.SET_NULL, null=True, blank=True, related_name="+")
    currency = models.TextField(blank=True)
    net = models.BigIntegerField(null=True)
    # The net of the month before, in the same currency; none where there was no invoice.
    before = models.BigIntegerField(null=True)
    calls = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["run", "tenant"], name="receivables_runcustomer_once")]
        indexes = [models.Index(fields=["run", "state"], name="receivables_runcustomer_state")]

    def __str__(self) -> str:
        return str(self.tenant)

    @property
    def change(self) -> int | None:
        """By how much the net differs from the month before."""
        return None if self.net is None or self.before is None else self.net - self.before


class RunFinding(models.Model):
    """What a check of a run found, about one customer or about all; its words are made of `code` and `facts`."""

    class Level(models.TextChoices):
        ERROR = "error", _("Left out")
        WARNING = "warning", _("To be looked at")
        NOTE = "note", _("Good to know")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    run = models.ForeignKey(InvoiceRun, models.CASCADE, related_name="findings")
    customer = models.ForeignKey(RunCustomer, models.CASCADE, null=True, blank=True, related_name="findings")
    code = models.TextField()
    level = models.TextField(choices=Level)
    facts = models.JSONField(default=dict)
    ticked_at = models.DateTimeField(null=True)
    ticked_by = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["run", "customer", "code"], name="receivables_runfinding_once", nulls_distinct=False
            ),
        ]

    def __str__(self) -> str:
        return self.code

    @property
    def is_open(self) -> bool:
        return self.level == self.Level.WARNING and self.ticked_at is None
