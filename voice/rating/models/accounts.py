"""What is left of a customer's money: the counter that moves with each call, and what moved it otherwise."""

from typing import ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _


class Account(models.Model):
    """What a customer's calls left of its money: the fast counter that moves with each call, beside the ledger.

    It counts charges in its own currency only; `spent_micros` is what the calls answered in `month` (UTC) came to.
    """

    class Kind(models.TextChoices):
        POSTPAID = "postpaid", _("Postpaid")
        PREPAID = "prepaid", _("Prepaid")

    tenant = models.OneToOneField("tenants.Customer", models.DO_NOTHING, db_constraint=False, primary_key=True)
    msp = models.ForeignKey("tenants.Msp", models.DO_NOTHING, db_constraint=False, db_index=False)
    currency = models.TextField()
    kind = models.TextField(choices=Kind.choices, default=Kind.POSTPAID)
    balance_micros = models.BigIntegerField(default=0)
    credit_limit_micros = models.BigIntegerField(null=True)
    month = models.DateField()
    spent_micros = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.balance_micros} {self.currency}"


class Movement(models.Model):
    """Something other than a call that moved an account, as it was; never changed.

    What the calls took between two movements is the difference between the one's `balance_micros` (the balance after
    it) and the next one's, less its amount: each balance is explained by the movements and the usage of the days.
    """

    class Kind(models.TextChoices):
        TOP_UP = "top_up", _("Top-up")
        PAYMENT = "payment", _("Payment")
        TAKEN_BACK = "taken_back", _("Taken back")
        INVOICE = "invoice", _("Invoice")
        CREDIT_NOTE = "credit_note", _("Credit note")
        CORRECTION = "correction", _("Correction")

    tenant = models.ForeignKey("tenants.Customer", models.DO_NOTHING, db_constraint=False, db_index=False)
    msp = models.ForeignKey("tenants.Msp", models.DO_NOTHING, db_constraint=False, db_index=False)
    at = models.DateTimeField(_("when"))
    kind = models.TextField(_("what"), choices=Kind.choices)
    # Positive gives, negative takes.
    micros = models.BigIntegerField(_("amount"))
    currency = models.TextField()
    balance_micros = models.BigIntegerField(_("balance after it"))
    reference = models.TextField(_("reference"), max_length=200)

    class Meta:
        constraints: ClassVar = [
            # What was told twice happened once.
            models.UniqueConstraint(fields=["tenant", "reference"], name="rating_movement_once"),
            models.CheckConstraint(name="rating_movement_moves", condition=~models.Q(micros=0)),
            models.CheckConstraint(name="rating_movement_has_reference", condition=~models.Q(reference="")),
            models.CheckConstraint(
                name="rating_movement_gives_or_takes",
                condition=models.Q(kind__in=["top_up", "payment", "credit_note"], micros__gt=0)
                | models.Q(kind="taken_back", micros__lt=0)
                | models.Q(kind__in=["invoice", "correction"]),
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "-at"], name="rating_movement_newest"),
            models.Index(fields=["msp", "-at"], name="rating_movement_msp"),
        ]

    def __str__(self) -> str:
        return self.reference
