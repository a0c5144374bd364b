"""Forms of the tax table and of exemptions."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from tenants.forms.codes import CountrySelect, CurrencySelect
from voice.rating.money import MICROS, UnreadableAmount, read_micros
from voice.receivables.forms import DAY, AmountField, Stored
from voice.receivables.models import Exemption, TaxCheck, TaxRule, VatRegistration

MOST_PERCENT = 100


class PercentField(forms.CharField):
    """A percentage as digits with one decimal point, in millionths afterwards: 8.875 is 88,750."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"inputmode": "decimal"}), max_length=12, **kwargs)

    def clean(self, value: Any) -> Any:
        """Return millionths, or None where nothing was written."""
        text = super().clean(value)
        if not text:
            return None
        try:
            micros = read_micros(text.replace("%", "").strip())
        except UnreadableAmount:
            raise ValidationError(_("Write a percentage such as 19 or 8.875."))
        if not 0 <= micros <= MOST_PERCENT * MICROS or micros % 100:
            raise ValidationError(_("A rate is between 0 and 100 %, with four decimals at most."))
        return micros // 100


class TaxRuleForm(Groups, forms.ModelForm):
    """A new rule of the tax table; there is no form that changes one."""

    per_million = PercentField(label=_("Rate, %"), required=False, help_text=_("0 ends an earlier rule of this name."))
    share_per_million = PercentField(
        label=_("Of which part of the line, %"),
        required=False,
        help_text=_("Blank is all. By the safe harbour, calls between states are 64.9 % of what VoIP costs."),
    )
    fixed = AmountField(label=_("Or an amount for each number"), required=False)
    groups = [
        (_("Where"), ["country", "area", "county", "city"]),
        (_("What is asked"), ["tax", "tax_class", "name", "per_million", "share_per_million", "fixed", "currency"]),
        (_("Since when, and who says so"), ["begins", "ends", "source"]),
    ]

    class Meta:
        model = TaxRule
        fields = [
            "country",
            "area",
            "county",
            "city",
            "tax",
            "tax_class",
            "name",
            "currency",
            "begins",
            "ends",
            "source",
        ]
        widgets = {
            **dict.fromkeys(("area", "county", "city", "name", "source"), forms.TextInput),
            "country": CountrySelect,
            "currency": CurrencySelect,
            "begins": DAY,
            "ends": DAY,
        }
        help_texts = {"country": ""}

    def _post_clean(self) -> None:
        # The service checks and stores; blank amounts are what the model has for nothing.
        for name, value in self.cleaned_data.items():
            if value is not None:
                setattr(self.instance, name, value)


class TaxCheckForm(forms.ModelForm):
    """What came out when a rule was compared with its source."""

    class Meta:
        model = TaxCheck
        fields = ["outcome", "checked_on", "page", "note"]
        widgets = {
            "outcome": forms.RadioSelect,
            "checked_on": DAY,
            "page": forms.URLInput,
            "note": forms.Textarea(attrs={"rows": 3}),
        }

    def _post_clean(self) -> None:
        for name, value in self.cleaned_data.items():
            setattr(self.instance, name, value)


class ExemptionForm(Stored):
    """Why a customer does not bear a tax."""

    class Meta:
        model = Exemption
        fields = ["kind", "tax", "area", "ground", "certificate", "begins", "ends"]
        widgets = {
            **dict.fromkeys(("area", "ground", "certificate"), forms.TextInput),
            "begins": DAY,
            "ends": DAY,
        }


class RegistrationForm(Stored):
    """Where a company is registered for VAT besides its own country."""

    class Meta:
        model = VatRegistration
        fields = ["country", "vat_id", "is_established", "begins", "ends"]
        widgets = {"country": CountrySelect, "vat_id": forms.TextInput, "begins": DAY, "ends": DAY}
        help_texts = {"country": ""}
