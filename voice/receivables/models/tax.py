"""Taxes as data: what a country asks, from when to when, and where that is written."""

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class TaxCategory(models.TextChoices):
    """The letters of UNTDID 5305 that EN 16931 allows and that we use."""

    STANDARD = "S", _("Standard rate")
    REVERSE_CHARGE = "AE", _("Reverse charge")
    EXEMPT = "E", _("Exempt")
    OUTSIDE = "O", _("Outside the scope of VAT")


class TaxRule(models.Model):
    """The rate of one kind of tax in one country (or part of it) between two days; it belongs to no MSP."""

    class Tax(models.TextChoices):
        VAT = "vat", _("VAT")
        SALES = "sales", _("Sales and telecom taxes")

    country = models.TextField()
    area = models.TextField(blank=True, help_text=_("A state, where taxes differ inside the country."))
    tax = models.TextField(choices=Tax)
    name = models.TextField()
    # Millionths: 19 % is 190,000.
    per_million = models.PositiveIntegerField()
    begins = models.DateField()
    ends = models.DateField(null=True, blank=True)
    source = models.TextField()

    class Meta:
        constraints = [
            models.CheckConstraint(name="receivables_taxrule_country", condition=Q(country__regex=r"^[A-Z]{2}$")),
            models.CheckConstraint(
                name="receivables_taxrule_span", condition=Q(ends__isnull=True) | Q(ends__gt=models.F("begins"))
            ),
        ]

    def __str__(self) -> str:
        return f"{self.country} {self.name} {self.per_million / 10_000:g} %"
