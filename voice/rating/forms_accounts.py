"""Forms of accounts: the MSP's terms, the customer's own limit, a movement by hand."""

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from tenants.forms.codes import CurrencySelect
from voice.rating.models import Account
from voice.rating.money import MICROS, UnknownCurrency, UnreadableAmount, decimals, read_micros


class MicrosField(forms.CharField):
    """An amount of money as digits with one decimal point; micros on the other side."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"inputmode": "decimal"}), max_length=20, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """Return a stored amount as people type it."""
        if not isinstance(value, int):
            return value
        exact = Decimal(value) / MICROS
        return f"{exact:.2f}" if exact == round(exact, 2) else f"{exact.normalize():f}"

    def clean(self, value: Any) -> Any:
        """Return micros, or None where nothing was written."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return read_micros(text.strip())
        except UnreadableAmount as error:
            raise ValidationError(str(error))


class SharesField(forms.CharField):
    """Parts of a limit in per cent: `80, 100`."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> list[int] | None:
        """Return the parts, ascending and each once."""
        words = super().clean(value).replace("%", " ").replace(",", " ").split()
        if not all(word.isascii() and word.isdigit() and len(word) < 4 for word in words):
            raise ValidationError(_("Write whole numbers with commas between them, such as 80, 100."))
        return sorted({int(word) for word in words})


class VersionedForm(Groups, forms.ModelForm[Account]):
    """A form whose service checks the whole row; here only what was typed is copied to it."""

    row_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row_version"].initial = self.instance.row_version

    def _post_clean(self) -> None:
        for name, value in self.cleaned_data.items():
            if name != "row_version" or value is not None:
                setattr(self.instance, name, value)


class TermsForm(VersionedForm):
    """How a customer pays, and up to what amount."""

    groups = [
        (_("How it pays"), ["kind", "currency", "credit_limit_micros"]),
        (_("This month"), ["spend_limit_micros"]),
        (_("Warnings"), ["warn_shares", "warn_below_micros"]),
    ]
    credit_limit_micros = MicrosField(
        label=_("Credit limit"),
        required=False,
        help_text=_("How far a postpaid account may fall below zero. Empty is without limit."),
    )
    spend_limit_micros = MicrosField(
        label=_("Spend limit a month"),
        required=False,
        help_text=_("What its calls of one month (UTC) may cost without tax. Empty is without limit."),
    )
    warn_shares = SharesField(
        label=_("Warn at"),
        required=False,
        help_text=_("In per cent of each limit. Each warning is mailed once until the account is back below it."),
    )
    warn_below_micros = MicrosField(
        label=_("Warn below"), required=False, help_text=_("For a prepaid account: warn when less than this is left.")
    )

    class Meta:
        model = Account
        fields = [
            "kind", "currency", "credit_limit_micros", "spend_limit_micros", "warn_shares", "warn_below_micros",
        ]  # fmt: skip
        widgets = {"kind": forms.RadioSelect, "currency": CurrencySelect}
        help_texts = {
            "kind": _(
                "Prepaid: calls take from a balance that is topped up, and stop when it is used up. Postpaid: calls "
                "are billed, and stop at the credit limit. Emergency calls never stop."
            ),
            "currency": _(
                "That of the customer’s deck; the account follows it by itself. Bills and payments in another one are "
                "converted by the exchange rate of their day."
            ),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["warn_shares"].initial = self.initial["warn_shares"] = list(self.instance.warned_at)
        self.fields["warn_shares"].widget.attrs["data-unit"] = "%"
        for name in ("credit_limit_micros", "spend_limit_micros", "warn_below_micros"):
            self.fields[name].widget.attrs["data-unit"] = self.instance.currency

    def clean_currency(self) -> str:
        """Return the code of a currency that there is."""
        code = str(self.cleaned_data["currency"]).strip().upper()
        try:
            decimals(code)
        except UnknownCurrency as error:
            raise ValidationError(str(error))
        return code


class OwnLimitForm(VersionedForm):
    """What a customer's calls of one month may cost by its own wish."""

    groups = [(_("Your own limit"), ["own_limit_micros"])]
    own_limit_micros = MicrosField(
        label=_("Own limit a month"),
        required=False,
        help_text=_(
            "When your calls of a month (UTC) have cost this much without tax, calls that cost something stop."
            " Empty is no limit of your own."
        ),
    )

    class Meta:
        model = Account
        fields = ["own_limit_micros"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["own_limit_micros"].widget.attrs["data-unit"] = self.instance.currency


class CorrectionForm(forms.Form):
    """What somebody found to be wrong about a balance."""

    amount = MicrosField(label=_("Amount"), help_text=_("Above zero adds to the balance, below zero takes from it."))
    reference = forms.CharField(
        label=_("Reference"),
        max_length=120,
        help_text=_("Say why, so that anybody can find it again. The same reference is booked only once."),
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].widget.attrs["data-unit"] = currency
