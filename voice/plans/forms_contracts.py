"""Forms of contracts: start, terms, change of plan, end, add-ons, credits."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from tenants.models import Customer
from voice.plans.forms import DAY, Copied, MicrosField
from voice.plans.models import AddOn, Component, Contract, Credit, PlanVersion
from voice.plans.proration import next_month

TRIAL = {"trial_until": _("The first day with monthly fees. Calls are charged from the start of the contract.")}
TERMS = ["term_months", "renewal_months", "notice_days", "trial_until", "reference"]


def versions_of(msp: Any, currency: str = "") -> Any:
    """Return the versions that may be ordered, the newest of each plan first."""
    found = PlanVersion.objects.filter(msp=msp, state=PlanVersion.State.PUBLISHED, plan__closed_at=None)
    found = found.filter(plan__currency=currency) if currency else found
    return found.select_related("plan").order_by("plan__name", "-number")


def named(version: PlanVersion) -> str:
    """Return a version as lists of choices name it."""
    words = {"plan": version.plan.name, "number": version.number, "currency": version.plan.currency}
    return _now("%(plan)s, version %(number)d (%(currency)s)") % words


class VersionChoice(forms.ModelChoiceField):
    """A published version, named by its plan."""

    def label_from_instance(self, version: Any) -> str:
        return named(version)


# The unit stands in the field: the help under it says what is not plain.
UNITS: dict[str, tuple[Any, Any]] = {
    "term_months": (_("months"), _("0 binds nobody.")),
    "renewal_months": (_("months"), _("Unless notice is given; with 0 it can end on any day after its term.")),
    "notice_days": (_("days"), ""),
}


def _with_units(form: forms.ModelForm[Contract]) -> None:
    for name, (unit, words) in UNITS.items():
        form.fields[name].widget.attrs["data-unit"] = unit
        form.fields[name].help_text = words


class ContractForm(Groups, Copied):
    """A new contract of a customer."""

    tenant = forms.ModelChoiceField(
        label=_("Customer"), queryset=Customer.objects.none(), empty_label=_("Choose a customer")
    )
    version = VersionChoice(label=_("Plan"), queryset=PlanVersion.objects.none(), empty_label=_("Choose a plan"))
    groups = [
        (_("Who gets what"), ["tenant", "version", "starts", "reference"]),
        (_("How long it binds"), ["term_months", "renewal_months", "notice_days"]),
        (_("Trial"), ["trial_until"]),
    ]

    class Meta:
        model = Contract
        fields = ["tenant", "starts", *TERMS]
        widgets = {"starts": DAY, "trial_until": DAY, "reference": forms.TextInput}
        help_texts = TRIAL

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        msp = self.instance.msp_id
        open_ = Customer.objects.filter(msp=msp).exclude(state=Customer.State.CLOSED)
        self.fields["tenant"].queryset = open_.order_by("name")
        self.fields["version"].queryset = versions_of(msp)
        _with_units(self)


class TermsForm(Groups, Copied):
    """The terms of a contract that runs."""

    groups = [(_("How long it binds"), TERMS[:3]), (_("Trial and reference"), TERMS[3:])]

    class Meta:
        model = Contract
        fields = TERMS
        widgets = {"trial_until": DAY, "reference": forms.TextInput}
        help_texts = TRIAL

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _with_units(self)


class OfContract(forms.Form):
    """Something that is done to a contract as the reader saw it."""

    row_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, contract: Contract, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.contract = contract
        self.fields["row_version"].initial = contract.row_version

    def clean_row_version(self) -> int | None:
        seen: int | None = self.cleaned_data["row_version"]
        self.contract.row_version = self.contract.row_version if seen is None else seen
        return seen


class ChangeForm(OfContract):
    """Another version from a day on."""

    version = VersionChoice(label=_("New plan"), queryset=PlanVersion.objects.none(), empty_label=_("Choose a plan"))
    on = forms.DateField(
        label=_("From"),
        widget=DAY,
        help_text=_("This day belongs to the new plan. What each plan asks is cut by days."),
    )

    def __init__(self, *args: Any, contract: Contract, currency: str, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"on": next_month(timezone.localdate())})
        super().__init__(*args, contract=contract, **kwargs)
        self.fields["version"].queryset = versions_of(contract.msp_id, currency)


class MoveForm(forms.Form):
    """The day from which many contracts have a version."""

    on = forms.DateField(
        label=_("From"), widget=DAY, help_text=_("This day belongs to the new version. Fees are cut by days.")
    )

    def __init__(self, *args: Any, version: PlanVersion, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"on": max(next_month(timezone.localdate()), version.effective_from)})
        super().__init__(*args, **kwargs)


class EndForm(OfContract):
    """Notice, and the first day without contract."""

    noticed_on = forms.DateField(label=_("Notice was given on"), widget=DAY)
    ends = forms.DateField(
        label=_("First day without contract"),
        widget=DAY,
        required=False,
        help_text=_("Empty: as early as term and notice allow."),
    )
    agreed = forms.BooleanField(
        label=_("Both sides agreed to an earlier end"), required=False, help_text=_("Then term and notice do not bind.")
    )

    def __init__(self, *args: Any, contract: Contract, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"noticed_on": timezone.localdate()})
        super().__init__(*args, contract=contract, **kwargs)
        earliest = contract.term.earliest_end(timezone.localdate())
        self.fields["ends"].help_text = _now("Empty: as early as term and notice allow; today that is %(day)s.") % {
            "day": date_format(earliest, "j M Y")
        }


class AddOnForm(Copied):
    """An add-on that the contract's plan offers."""

    name = forms.ChoiceField(label=_("Add-on"))

    class Meta:
        model = AddOn
        fields = ["name", "quantity", "begins", "ends"]
        widgets = {"begins": DAY, "ends": DAY}

    def __init__(self, *args: Any, offered: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].choices = [(name, name) for name in offered]
        self.fields["begins"].initial = timezone.localdate()


class CreditForm(Copied):
    """A credit for the bill of a month."""

    amount = MicrosField(label=_("Amount"))
    month = forms.ChoiceField(label=_("On the bill of"), help_text=_("A month that is billed takes no more."))

    class Meta:
        model = Credit
        fields = ["month", "amount", "reason"]
        widgets = {"reason": forms.TextInput(attrs={"placeholder": _("Outage of 12 May, 4 hours")})}
        help_texts = {"reason": _("Printed on the bill.")}

    def __init__(self, *args: Any, currency: str, months: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["amount"].widget.attrs["data-unit"] = currency
        self.fields["month"].choices = months

    def clean_month(self) -> date:
        return date.fromisoformat(self.cleaned_data["month"])


class DayForm(OfContract):
    """The first day without something."""

    on = forms.DateField(label=_("First day without it"), widget=DAY)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", {"on": timezone.localdate() + timedelta(days=1)})
        super().__init__(*args, **kwargs)


def offered_by(version: PlanVersion) -> list[str]:
    """Return the names of the add-ons that a version offers."""
    found = Component.objects.filter(version=version, optional=True).order_by("position")
    return list(found.values_list("name", flat=True))
