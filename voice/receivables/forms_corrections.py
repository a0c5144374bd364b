"""The forms by which people write claims off and take entries back."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from voice.rating.money import MICROS, decimals
from voice.receivables.forms import AmountField


class CorrectForm(forms.Form):
    """Why an entry is taken back."""

    reason = forms.CharField(
        label=_("Reason"), max_length=200, help_text=_("It stays in the books. The customer does not read it.")
    )


class WriteOffForm(CorrectForm):
    """How much of an invoice will not be paid, and why."""

    amount = AmountField(label=_("Amount"))
    # What was open when the page was made.
    left = forms.IntegerField(widget=forms.HiddenInput)
    field_order = ("amount", "reason")

    def __init__(self, *args: Any, invoice: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        amount = f"{max(invoice.left, 0) / MICROS:.{decimals(invoice.currency)}f}"
        self.initial = {"amount": amount, "left": invoice.left}
        self.fields["amount"].widget.attrs["data-unit"] = invoice.currency
