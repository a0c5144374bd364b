"""Forms of the ladder and the pauses."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from tenants.models import Customer
from voice.payments.models import DunningPause, DunningStep
from voice.receivables.forms import DAY, AmountField, Stored
from voice.receivables.models import Invoice

PER_PERCENT = 10_000


class StepForm(Groups, Stored):
    """One step of the ladder."""

    groups = [
        (_("When"), ["after_days", "is_on"]),
        (_("What the customer reads"), ["title", "words"]),
        (_("What it costs"), ["fee", "percent"]),
        (_("What happens"), ["tells_msp", "suspends"]),
    ]
    fee = AmountField(label=_("Fee"), required=False, help_text=_("In the invoice's currency. Empty is none."))
    percent = forms.DecimalField(
        label=_("Interest a year"), required=False, min_value=0, max_value=30, decimal_places=2,
        help_text=_("Per cent, by the day since the invoice was due. Empty is none."),
    )  # fmt: skip

    class Meta:
        model = DunningStep
        fields = ["after_days", "is_on", "title", "words", "tells_msp", "suspends"]
        widgets = {"title": forms.TextInput, "words": forms.Textarea(attrs={"rows": 4})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        step = self.instance
        self.initial["fee"] = f"{step.fee / 1_000_000:.2f}" if step.fee else ""
        self.initial["percent"] = step.interest_per_million / PER_PERCENT if step.interest_per_million else None

    def _post_clean(self) -> None:
        super()._post_clean()
        self.instance.fee = self.cleaned_data.get("fee") or 0
        self.instance.interest_per_million = int((self.cleaned_data.get("percent") or 0) * PER_PERCENT)


class PauseForm(forms.ModelForm):
    """Who is left alone, and until when."""

    class Meta:
        model = DunningPause
        fields = ["tenant", "invoice", "kind", "until", "note"]
        widgets = {"until": DAY, "note": forms.TextInput}

    def __init__(self, *args: Any, msp: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        billed = Customer.objects.filter(msp=msp, billing_profile__isnull=False)
        self.fields["tenant"].queryset = billed.order_by("name")  # type: ignore[attr-defined]
        issued = Invoice.objects.issued().filter(msp=msp, kind="invoice").order_by("-pk")
        self.fields["invoice"].queryset = issued[:500]  # type: ignore[attr-defined]
        self.fields["invoice"].empty_label = _("All of the customer's")  # type: ignore[attr-defined]

    def _post_clean(self) -> None:
        for name, value in self.cleaned_data.items():
            setattr(self.instance, name, value)
