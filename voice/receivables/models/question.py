"""What customers ask about lines of their bills, and the mails about bills that wait to be sent."""

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

TEXT = [MaxLengthValidator(2000)]


class LineQuestion(models.Model):
    """A customer's note about one line of an issued document, with all that explains the line attached."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        ANSWERED = "answered", _("Answered")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+", verbose_name=_("customer"))
    invoice = models.ForeignKey("receivables.Invoice", models.PROTECT, related_name="questions")
    position = models.PositiveIntegerField()
    text = models.TextField(_("question"), validators=TEXT)
    # The net amount that the customer does not accept; 0 where it only asks.
    disputed = models.BigIntegerField(default=0)
    currency = models.TextField()
    # The line as it was asked about, with the steps from its calls to its amount.
    attached = models.JSONField(default=dict)
    state = models.TextField(choices=State, default=State.OPEN)
    asked_by_id = models.BigIntegerField(null=True, blank=True)
    asked_by = models.TextField(blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    answer = models.TextField(_("answer"), blank=True, validators=TEXT)
    answered_by = models.TextField(blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    row_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        indexes = [
            models.Index(fields=["msp", "-id"], name="receivables_question_newest"),
            models.Index(fields=["invoice", "position"], name="receivables_question_line"),
        ]
        constraints = [
            models.CheckConstraint(
                name="receivables_question_has_text",
                condition=~Q(text=""),
                violation_error_message=_("Write what you want to know."),
            ),
            models.CheckConstraint(
                name="receivables_question_answered_is_whole",
                condition=Q(state="open", answer="", answered_at=None)
                | Q(state="answered", answered_at__isnull=False) & ~Q(answer=""),
                violation_error_message=_("Write the answer."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.attached.get('number', '')} {self.attached.get('text', '')}".strip()

    @property
    def is_open(self) -> bool:
        return self.state == self.State.OPEN


class Notice(models.Model):
    """A mail that has to go out: written with the event, sent once, tried again where the mail server was away."""

    class Kind(models.TextChoices):
        BILL = "bill"
        QUESTION = "question"
        ANSWER = "answer"

    MOST_TRIES = 20

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+")
    kind = models.TextField(choices=Kind)
    invoice = models.ForeignKey("receivables.Invoice", models.PROTECT, related_name="+")
    question = models.ForeignKey(LineQuestion, models.PROTECT, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    tries = models.PositiveSmallIntegerField(default=0)
    # Those who got it already, where the mail server went away in between.
    sent_to = models.JSONField(default=list)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["msp", "id"], condition=Q(done_at=None), name="receivables_notice_waiting"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["invoice", "question", "kind"], name="receivables_notice_once", nulls_distinct=False
            ),
            models.CheckConstraint(
                name="receivables_notice_of_question",
                condition=Q(kind="bill", question=None) | ~Q(kind="bill") & Q(question__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.invoice_id}"
