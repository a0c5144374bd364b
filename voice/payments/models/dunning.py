"""Reminders: the ladder of an MSP, what was proposed and sent, and whoever is left alone until when."""

from django.core.validators import MaxLengthValidator, MaxValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class DunningSetting(models.Model):
    """Whether reminders go out by themselves, or wait until somebody has looked."""

    msp = models.OneToOneField("tenants.Msp", models.PROTECT, related_name="+", primary_key=True)
    releases_itself = models.BooleanField(
        _("send reminders by themselves"),
        default=False,
        help_text=_("Otherwise each night's reminders wait until you send them."),
    )
    row_version = models.PositiveIntegerField(default=0, editable=False)

    def __str__(self) -> str:
        return "automatic" if self.releases_itself else "by hand"


class DunningStep(models.Model):
    """One step of the ladder: so many days after the due date, in which words, at what price, with what effect."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    after_days = models.PositiveSmallIntegerField(_("days after the due date"), validators=[MaxValueValidator(365)])
    title = models.TextField(_("title"), validators=[MaxLengthValidator(60)])
    words = models.TextField(_("words"), validators=[MaxLengthValidator(1000)])
    fee = models.BigIntegerField(_("fee"), default=0, help_text=_("In the invoice's currency; 0 is none."))
    interest_per_million = models.PositiveIntegerField(
        _("interest a year"), default=0, validators=[MaxValueValidator(300_000)]
    )
    tells_msp = models.BooleanField(_("mail to us, too"), default=False)
    suspends = models.BooleanField(
        _("stop ordinary calls"),
        default=False,
        help_text=_("In and out, until what was reminded of is paid. Emergency calls always pass."),
    )
    is_on = models.BooleanField(_("in use"), default=True)
    row_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["msp", "after_days"],
                name="payments_step_day_once",
                violation_error_message=_("There is a step on this day already."),
            ),
            models.CheckConstraint(
                name="payments_step_fee",
                condition=Q(fee__gte=0),
                violation_error_message=_("A fee is not below zero."),
            ),
        ]

    def __str__(self) -> str:
        return self.title


class DunningPause(models.Model):
    """A customer, or one invoice of it, that is not reminded for a while."""

    class Kind(models.TextChoices):
        PAUSE = "pause", _("Left alone")
        DISPUTE = "dispute", _("Disputed")
        PROMISE = "promise", _("Promised to pay")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+", verbose_name=_("customer"))
    invoice = models.ForeignKey(
        "receivables.Invoice", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("invoice")
    )
    kind = models.TextField(_("why"), choices=Kind, default=Kind.PAUSE)
    until = models.DateField(_("until"), null=True, blank=True, help_text=_("The last day; empty is until ended."))
    note = models.TextField(_("note"), validators=[MaxLengthValidator(200)])
    ended_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="payments_pause_promise_has_day",
                condition=~Q(kind="promise") | Q(until__isnull=False),
                violation_error_message=_("A promise to pay has a day."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.tenant}: {self.get_kind_display()}"


class Reminder(models.Model):
    """One document of a step for one customer: proposed, then sent once, or not sent at all."""

    class State(models.TextChoices):
        PROPOSED = "proposed", _("Proposed")
        RELEASED = "released", _("Sent")
        WITHDRAWN = "withdrawn", _("Paid before it was sent")
        DROPPED = "dropped", _("Not sent")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+", verbose_name=_("customer"))
    entity = models.ForeignKey("receivables.LegalEntity", models.PROTECT, related_name="+")
    step = models.ForeignKey(DunningStep, models.PROTECT, related_name="reminders")
    currency = models.TextField()
    # As the step said it on the day of release.
    title = models.TextField(_("step"))
    words = models.TextField(blank=True)
    fee = models.BigIntegerField(default=0)
    interest = models.BigIntegerField(default=0)
    total = models.BigIntegerField(_("to be paid"), default=0)
    state = models.TextField(choices=State, default=State.PROPOSED)
    proposed_on = models.DateField(_("proposed on"))
    released_on = models.DateField(_("sent on"), null=True, blank=True)
    suspended_at = models.DateTimeField(null=True, blank=True)
    resumed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [models.Index(fields=["msp", "state", "-id"], name="payments_reminder_state")]
        constraints = [
            models.CheckConstraint(
                name="payments_reminder_sent_has_day",
                condition=Q(state="released", released_on__isnull=False)
                | ~Q(state="released") & Q(released_on__isnull=True, suspended_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}, {self.tenant}"


class ReminderLine(models.Model):
    """An invoice in a reminder: each invoice once a step, whatever becomes of the reminder."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+")
    reminder = models.ForeignKey(Reminder, models.CASCADE, related_name="lines")
    step = models.ForeignKey(DunningStep, models.PROTECT, related_name="+")
    invoice = models.ForeignKey("receivables.Invoice", models.PROTECT, related_name="reminder_lines")
    left = models.BigIntegerField()
    days = models.PositiveIntegerField()
    interest = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["invoice", "step"], name="payments_line_once_a_step")]

    def __str__(self) -> str:
        return f"{self.invoice_id}: {self.left}"
