"""The customer's own copy of what it was billed: it lives in the customer's schema and never changes."""

from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Bill(models.Model):
    """An invoice or a credit note as it was issued, under the key that the MSP's register has for it."""

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("Invoice")
        CREDIT_NOTE = "credit_note", _("Credit note")

    id = models.BigIntegerField(primary_key=True)
    kind = models.TextField(choices=Kind)
    number = models.TextField(_("number"))
    corrects = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="credit_notes")
    begins = models.DateField(_("from"))
    ends = models.DateField(_("until"))
    issued_on = models.DateField(_("issued on"))
    due_on = models.DateField(_("due on"))
    currency = models.TextField()
    net = models.BigIntegerField()
    tax = models.BigIntegerField()
    total = models.BigIntegerField()
    reason = models.TextField(blank=True)
    seller = models.JSONField(default=dict)
    buyer = models.JSONField(default=dict)
    # What each tax makes of the lines under it, as the register has it.
    taxes = models.JSONField(default=list, encoder=DjangoJSONEncoder)

    class Meta:
        indexes = [models.Index(fields=["-issued_on", "-id"], name="billing_bill_newest")]
        constraints = [
            models.CheckConstraint(name="billing_bill_adds_up", condition=Q(total=F("net") + F("tax"))),
            models.CheckConstraint(name="billing_bill_has_number", condition=~Q(number="")),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def is_credit_note(self) -> bool:
        return self.kind == self.Kind.CREDIT_NOTE


class BillLine(models.Model):
    """One line of a bill, with what explains it."""

    class Kind(models.TextChoices):
        USAGE = "usage", _("Calls")
        FEE = "fee", _("Fee")
        CREDIT = "credit", _("Credit")
        COMMITMENT = "commitment", _("Minimum")
        DISCOUNT = "discount", _("Discount")

    bill = models.ForeignKey(Bill, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    kind = models.TextField(choices=Kind)
    group = models.TextField(blank=True)
    text = models.TextField()
    quantity = models.BigIntegerField()
    seconds = models.BigIntegerField()
    exact = models.BigIntegerField()
    net = models.BigIntegerField()
    category = models.TextField()
    per_million = models.PositiveIntegerField()
    tax_name = models.TextField(blank=True)
    levies = models.JSONField(default=list)
    corrects = models.PositiveIntegerField(null=True, blank=True)
    basis = models.JSONField(default=dict)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["bill", "position"], name="billing_line_position_once")]

    def __str__(self) -> str:
        return self.text


def copied(model: type[models.Model], *, without: tuple[str, ...] = ()) -> list[str]:
    """Return the names of the columns that a copy has in common with the row of the register."""
    return [field.attname for field in model._meta.concrete_fields if field.attname not in without]


BILL_COLUMNS: list[str] = copied(Bill, without=("taxes",))
LINE_COLUMNS: list[str] = copied(BillLine, without=("id", "bill_id"))


def plain(row: Any, names: list[str]) -> dict[str, Any]:
    """Return the named values of a row."""
    return {name: getattr(row, name) for name in names}
