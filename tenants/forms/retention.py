"""How long things are kept, and what is kept longer."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from tenants.countries import country_choices
from tenants.models import Customer, LegalHold, Msp, RetentionRule


class RuleForm(forms.ModelForm[RetentionRule]):
    """How long data of one class is kept in one country, and why."""

    country = forms.ChoiceField(
        label=_("Country"),
        required=False,
        help_text=_("The customer's; of books, their vouchers and letters it is that of the company that bills."),
    )
    row_version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = RetentionRule
        fields = ["data_class", "country", "days", "reason", "source"]
        labels = {"data_class": _("What"), "days": _("Days"), "reason": _("Why so long"), "source": _("Source")}
        widgets = {"reason": forms.Textarea(attrs={"rows": 3}), "source": forms.TextInput}
        help_texts = {"source": _("The law, contract or decision that says so. Customers read this.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row_version"].initial = self.instance.row_version
        if self.instance.pk:
            del self.fields["data_class"], self.fields["country"]
            return
        every = ("", _("All countries without a rule of their own"))
        self.fields["country"].choices = [every, *country_choices()]  # type: ignore[attr-defined]

    def _post_clean(self) -> None:
        # The service checks; a number that is none stays out of it.
        for name in self._meta.fields or ():
            if name in self.fields and self.cleaned_data.get(name) is not None:
                setattr(self.instance, name, self.cleaned_data[name])
        self.instance.row_version = self.cleaned_data.get("row_version", -1)


class HoldForm(forms.ModelForm[LegalHold]):
    """What is kept beyond its time, for which case, and when somebody looks at it again."""

    class Meta:
        model = LegalHold
        fields = ["tenant", "call", "case", "reason", "review"]
        labels = {"tenant": _("Customer"), "call": _("One call only"), "case": _("Case"), "reason": _("Reason"),
                  "review": _("Look at it again on")}  # fmt: skip
        widgets = {
            "call": forms.TextInput(attrs={"spellcheck": "false"}),
            "case": forms.TextInput(attrs={"placeholder": "2026-114"}),
            "reason": forms.Textarea(attrs={"rows": 3}),
            "review": forms.DateInput(attrs={"type": "date"}),
        }
        help_texts = {
            "call": _("The id of a call, as its page shows it; all of the customer's data if empty."),
            "case": _("The number under which you keep the dispute or order."),
            "review": _("The hold does not end by itself."),
        }

    def __init__(self, *args: Any, msp: Msp, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tenant"].queryset = Customer.objects.filter(msp=msp).order_by("name")  # type: ignore[attr-defined]
