"""What people decided about calls that no rule could price."""

from typing import ClassVar

from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from voice.rating.models import PricedOutcome


class Decision(models.Model):
    """A person's word on one call that was kept aside; its charge says what came of it, and rating again leaves it."""

    class Kind(models.TextChoices):
        FREE = "free", _("The call is free of charge")
        LAST_SEEN = "last_seen", _("It ended when it was last seen")
        PRICE = "price", _("It costs a price set by hand")

    msp = models.ForeignKey("tenants.Msp", models.DO_NOTHING, db_constraint=False, db_index=False)
    tenant = models.ForeignKey("tenants.Customer", models.DO_NOTHING, db_constraint=False, db_index=False)
    invited = models.DateTimeField()
    call = models.UUIDField()
    kind = models.TextField(choices=Kind)
    # What it was kept aside as, and what it came to.
    was = models.TextField(choices=PricedOutcome)
    micros = models.BigIntegerField()
    currency = models.TextField(blank=True)
    reason = models.TextField(_("reason"), validators=[MaxLengthValidator(500)])
    made_by = models.TextField()
    made_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tenant", "invited", "call"], name="rerating_decision_once"),
            models.CheckConstraint(
                name="rerating_decision_reason",
                condition=~models.Q(reason=""),
                violation_error_message=_("Say why: the reason stays with the call."),
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["msp", "-made_at"], name="rerating_decision_msp")]

    def __str__(self) -> str:
        return str(self.get_kind_display())
