"""Forms of invoices, payments, companies and how customers are billed."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from tenants.forms.codes import CountrySelect, CurrencySelect
from tenants.models import Customer
from voice import days
from voice.rating.money import MICROS, UnreadableAmount, decimals, read_micros
from voice.receivables import sources
from voice.receivables.models import BillingProfile, LegalEntity, Payment
from voice.receivables.references import grouped
from voice.receivables.selectors_books import Books

MONTHS = 13
DAY = forms.DateInput(attrs={"type": "date"})


class AmountField(forms.CharField):
    """An amount of money as digits with one decimal point, in micros afterwards."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"inputmode": "decimal"}), max_length=20, **kwargs)

    def clean(self, value: Any) -> Any:
        """Return micros, or None where nothing was written."""
        text = super().clean(value)
        if not text:
            return None
        try:
            return read_micros(text.strip())
        except UnreadableAmount as error:
            raise ValidationError(str(error))


class Stored(forms.ModelForm):
    """A form whose service checks and stores; the version that was read goes along."""

    row_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row_version"].initial = self.instance.row_version

    def _post_clean(self) -> None:
        for name, value in self.cleaned_data.items():
            if value is not None:
                setattr(self.instance, name, value)


ADDRESS = ["name", "street", "postcode", "city", "country"]
LINES = dict.fromkeys(
    (
        *ADDRESS, "vat_id", "tax_number", "registration", "phone", "bank", "iban", "bic", "buyer_reference", "area",
        "county", "invoice_pattern", "credit_note_pattern", "reference",
    ),
    forms.TextInput,
)  # fmt: skip
CODES = {"country": CountrySelect, "currency": CurrencySelect}


def _plain(micros: int, currency: str) -> str:
    return f"{micros / MICROS:.{decimals(currency)}f}"


class EntityForm(Groups, Stored):
    """A company of the MSP that sends invoices."""

    groups = [
        (_("Name and address"), [*ADDRESS, "area", "email", "phone"]),
        (_("Registers"), ["vat_id", "tax_number", "registration", "is_in_oss"]),
        (_("Where customers pay"), ["bank", "iban", "bic"]),
        (_("Numbers"), ["invoice_pattern", "credit_note_pattern"]),
        (_("Before bills go out"), ["first_bill_limit"]),
    ]
    first_bill_limit = AmountField(
        label=_("Look at first bills above"),
        required=False,
        help_text=LegalEntity._meta.get_field("first_bill_limit").help_text,
    )

    class Meta:
        model = LegalEntity
        fields = [
            *ADDRESS, "area", "is_in_oss", "email", "phone", "vat_id", "tax_number", "registration", "bank", "iban",
            "bic", "invoice_pattern", "credit_note_pattern", "first_bill_limit",
        ]  # fmt: skip
        widgets = LINES | CODES
        help_texts = {"country": ""}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["first_bill_limit"] = f"{self.instance.first_bill_limit / MICROS:.2f}"
        self.initial["iban"] = grouped(self.instance.iban)


class ProfileForm(Groups, Stored):
    """How one customer is billed."""

    groups = [
        (_("Who gets the invoice"), [*ADDRESS, "area", "county", "email", "buyer_reference"]),
        (_("How"), ["entity", "currency", "due_days", "language"]),
        (_("Tax"), ["is_business", "vat_id"]),
    ]

    class Meta:
        model = BillingProfile
        fields = [
            *ADDRESS, "email", "vat_id", "buyer_reference", "entity", "currency", "due_days", "area", "county",
            "is_business", "language",
        ]  # fmt: skip
        widgets = LINES | CODES
        help_texts = {
            "country": "",
            "is_business": _("A business in another country may owe the tax itself; a consumer never does."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["entity"].queryset = LegalEntity.objects.filter(msp=self.instance.msp_id).order_by("name")
        self.fields["entity"].empty_label = None


class InvoiceForm(forms.Form):
    """A new invoice with lines that somebody writes."""

    customer = forms.ModelChoiceField(
        label=_("Customer"),
        queryset=BillingProfile.objects.none(),
        empty_label=_("Choose a customer"),
        help_text=_("Customers appear here once it is set how they are billed."),
    )
    begins = forms.DateField(label=_("Period from"), widget=DAY)
    last_day = forms.DateField(label=_("Last day"), widget=DAY)
    lines = forms.CharField(
        label=_("Lines"),
        widget=forms.Textarea(attrs={"rows": 6, "placeholder": "Set-up of the trunk; 250.00"}),
        help_text=_(
            "One a line: words; net amount. Below zero is a credit. Tax is added as for telecommunications; write "
            "“; goods” or “; service” after the amount of what is not."
        ),
    )

    def __init__(self, *args: Any, msp: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].queryset = BillingProfile.objects.filter(msp=msp).order_by("name")

    def clean_lines(self) -> sources.Written:
        try:
            return sources.read(self.cleaned_data["lines"])
        except sources.UnreadableLine as error:
            raise ValidationError(str(error))

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        days.demand(begins=found.get("begins"), last_day=found.get("last_day"))
        if found.get("begins") and found.get("last_day"):
            found["ends"] = found["last_day"] + timedelta(days=1)
        return found


class CreditForm(forms.Form):
    """What a credit note takes back: all that is left, or so much of some lines."""

    reason = forms.CharField(label=_("Reason"), max_length=200, help_text=_("The credit note prints it."))

    def __init__(self, *args: Any, lines: dict[int, tuple[str, int]], currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for position, (text, left) in lines.items():
            self.fields[f"line_{position}"] = AmountField(
                label=text,
                required=False,
                initial=_plain(left, currency),
                help_text=_now("Net, %(currency)s; what is left is filled in.") % {"currency": currency},
            )

    @property
    def amounts(self) -> dict[int, int]:
        """Return what is taken back of each line."""
        return {
            int(name.removeprefix("line_")): micros
            for name, micros in self.cleaned_data.items()
            if name.startswith("line_") and micros
        }


class PaymentForm(forms.ModelForm):
    """Money that came in."""

    PURPOSES = [
        ("bills", _("Bills: the oldest open ones are settled first")),
        ("calls", _("Calls to come: a top-up of the customer’s balance")),
    ]
    customer = forms.ModelChoiceField(label=_("Customer"), queryset=Customer.objects.none())
    amount = AmountField(label=_("Amount"))
    books = forms.ChoiceField(
        label=_("Into the books of"),
        required=False,
        help_text=_("Bills of before, by another company or in another currency, are paid there."),
    )
    purpose = forms.ChoiceField(
        label=_("Paid for"), choices=PURPOSES, widget=forms.RadioSelect, initial="bills", required=False
    )

    class Meta:
        model = Payment
        fields = ["customer", "amount", "received_on", "method", "reference"]
        widgets = {"reference": forms.TextInput, "received_on": DAY}

    def __init__(self, *args: Any, msp: Any, books: list[Books], invoice: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if books:
            named = [(f"{entity.pk}-{currency}", f"{entity}, {currency}") for entity, currency in books]
            self.fields["books"].choices = [("", _now("Who bills the customer now, in its currency")), *named]
        else:
            del self.fields["books"]
            self.fields["amount"].help_text = _("In the currency in which the customer is billed.")
        found = Customer.objects.filter(msp=msp, billing_profile__isnull=False).order_by("name")
        self.fields["customer"].queryset = found
        if invoice is not None:
            left = _plain(invoice.left, invoice.currency) if invoice.left > 0 else ""
            self.initial.update(customer=invoice.tenant_id, amount=left)
            # Who came from an invoice pays that one.
            self.fields["purpose"].disabled = True
            self.fields["purpose"].widget = forms.HiddenInput()
            self.fields["amount"].widget.attrs["data-unit"] = invoice.currency

    @property
    def named_books(self) -> tuple[int | None, str]:
        """Return the company and the currency that were chosen, or none."""
        entity, _dash, currency = self.cleaned_data.get("books", "").partition("-")
        return int(entity) if entity else None, currency

    def _post_clean(self) -> None:
        for name in self.Meta.fields[1:]:
            if self.cleaned_data.get(name) is not None:
                setattr(self.instance, name, self.cleaned_data[name])


class RunForm(forms.Form):
    """The month that a run bills: one that is over."""

    month = forms.ChoiceField(label=_("Month"), help_text=_("A month can be billed once it is over."))

    def __init__(self, *args: Any, today: date, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["month"].choices = [(f"{day:%Y-%m}", date_format(day, "F Y")) for day in months_before(today)]

    def clean_month(self) -> date:
        """Return the first day of the month."""
        return date.fromisoformat(f"{self.cleaned_data['month']}-01")


class AskForm(forms.Form):
    """What a customer asks about a line of its bill."""

    text = forms.CharField(
        label=_("What do you want to know?"), widget=forms.Textarea(attrs={"rows": 4}), max_length=2000,
        help_text=_("For example: “Which of our people made these calls?”"),
    )  # fmt: skip
    disputed = AmountField(
        label=_("Amount that you do not accept"),
        required=False,
        help_text=_("Net, at most the line's amount. Leave it empty where you only ask."),
    )

    def __init__(self, *args: Any, currency: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["disputed"].widget.attrs["data-unit"] = currency


class AnswerForm(forms.Form):
    """What the MSP answers."""

    answer = forms.CharField(label=_("Answer"), widget=forms.Textarea(attrs={"rows": 6}), max_length=2000)


class IssueForm(forms.Form):
    """The date that the invoices of a run bear."""

    on = forms.DateField(label=_("Date of the invoices"), widget=DAY)


def months_before(today: date) -> list[date]:
    """Return the first days of the last months that are over, the latest first."""
    whole = today.year * 12 + today.month - 1
    return [date((whole - back) // 12, (whole - back) % 12 + 1, 1) for back in range(1, MONTHS + 1)]
