"""Forms of bank statements and their entries."""

from typing import Any

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from tenants.models import Customer
from voice.payments.models import BankEntry
from voice.receivables.models import Account, Invoice, LegalEntity, Payment


class StatementForm(forms.Form):
    """A file of bank statements."""

    entity = forms.ModelChoiceField(label=_("Company"), queryset=LegalEntity.objects.none(), empty_label=None)
    file = forms.FileField(
        label=_("File"),
        help_text=_(
            "CAMT.053, the XML that your bank offers beside the PDF. A file that comes twice books nothing twice."
        ),
    )

    def __init__(self, *args: Any, msp: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["entity"].queryset = LegalEntity.objects.filter(msp=msp).order_by("name")


class PayerForm(forms.Form):
    """Who paid, and what."""

    customer = forms.ModelChoiceField(label=_("Customer"), queryset=Customer.objects.none())
    invoice = forms.ModelChoiceField(
        label=_("Invoice"),
        queryset=Invoice.objects.none(),
        required=False,
        empty_label=_("The oldest open ones"),
        help_text=_("What is left over pays the others, and then stays on the account."),
    )

    def __init__(self, *args: Any, entry: BankEntry, invoices: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Who changed company may still owe this one.
        before = Account.objects.filter(entity=entry.entity_id, kind=Account.Kind.RECEIVABLE).values("tenant")
        billed = Customer.objects.filter(Q(billing_profile__entity=entry.entity_id) | Q(pk__in=before))
        self.fields["customer"].queryset = billed.filter(msp=entry.msp_id).order_by("name")
        self.fields["invoice"].queryset = Invoice.objects.filter(pk__in=invoices).order_by("due_on", "pk")


class ReturnForm(forms.Form):
    """Which payment went back."""

    payment = forms.ModelChoiceField(label=_("Payment"), queryset=Payment.objects.none())

    def __init__(self, *args: Any, entry: BankEntry, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = Payment.objects.filter(
            entity=entry.entity_id, currency=entry.currency, received_on__lte=entry.booked_on, amount__gte=-entry.amount
        )
        self.fields["payment"].queryset = found.select_related("tenant").order_by("-received_on", "-pk")[:200]
        self.fields["payment"].label_from_instance = lambda row: f"{row.received_on} {row.tenant}: {row.reference}"


class AsideForm(forms.Form):
    """Why an entry is nobody's payment."""

    note = forms.CharField(label=_("What it is"), max_length=200, help_text=_("For example “Bank charges”."))
