"""Saved quotes: what somebody would pay under some plans, as it was reckoned."""

from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _


class Quote(models.Model):
    """The assumptions of a quote and its outcome by plan, both as they were when it was saved."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    title = models.TextField(_("title"), validators=[MaxLengthValidator(120)])
    # Whose traffic it is; empty for typed assumptions.
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, null=True, blank=True, related_name="+")
    assumptions = models.JSONField(default=dict)
    outcome = models.JSONField(default=list)
    made_by = models.TextField(blank=True, editable=False)
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="plans_quote_has_title",
                condition=~models.Q(title=""),
                violation_error_message=_("Give the quote a title."),
            )
        ]

    def __str__(self) -> str:
        return self.title
