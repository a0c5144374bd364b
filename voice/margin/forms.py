"""Forms of margins."""

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _


class TargetForm(forms.Form):
    """The margin that is wanted, in percent of revenue."""

    percent = forms.DecimalField(
        label=_("Margin wanted"),
        min_value=0,
        max_value=Decimal("99.9"),
        max_digits=3,
        decimal_places=1,
        required=False,
        help_text=_("In percent of revenue, for example 35. Empty: none."),
        widget=forms.NumberInput(attrs={"data-unit": "%"}),
    )

    def per_mille(self) -> int | None:
        """Return what was typed in thousandths; None for none."""
        typed = self.cleaned_data["percent"]
        return None if typed is None else int(typed * 10)
