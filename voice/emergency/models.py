"""The customer's own emergency trunks. What countries dial is data: see emergency_numbers in selectors."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class EmergencyTrunkChoiceQuerySet(models.QuerySet["EmergencyTrunkChoice"]):
    def in_order(self) -> "EmergencyTrunkChoiceQuerySet":
        return self.order_by("position", "pk")


class EmergencyTrunkChoice(models.Model):
    """A trunk that the customer's emergency calls try before the MSP's list."""

    trunk_id = models.IntegerField(_("trunk"))
    position = models.PositiveIntegerField(default=0)

    objects = EmergencyTrunkChoiceQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["trunk_id"],
                name="emergency_choice_once",
                violation_error_message=_("This trunk is already on your list."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.position}: {self.trunk_id}"
