"""How a file writes amounts and days, where a person has to say it."""

from django import forms
from django.utils.translation import gettext_lazy as _


class Marks(forms.Form):
    """The marks of a file; what is left open is told by the file itself."""

    decimal = forms.ChoiceField(
        label=_("Amounts are written"),
        choices=[
            ("", _("As the file shows")),
            (".", _("1,234.56 (decimal point)")),
            (",", _("1.234,56 (decimal comma)")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
    dates = forms.ChoiceField(
        label=_("Dates are written"),
        choices=[
            ("", _("As the file shows")),
            ("dmy", _("31/12/2026 (day first)")),
            ("mdy", _("12/31/2026 (month first)")),
        ],
        required=False,
        widget=forms.RadioSelect,
    )
