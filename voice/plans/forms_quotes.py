"""The form of a quote: whose traffic or which, how many users, under which plans."""

from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from portal.core.whole import whole
from portal.ui.forms import Groups
from tenants.models import Customer
from voice.plans.forms import MicrosField
from voice.plans.forms_contracts import named, versions_of
from voice.plans.models import PlanVersion
from voice.plans.quoting import COUNTED, Assumptions, Traffic, traffic_of

MONTHS = 6
MOST_LINES = 100


class VersionsChoice(forms.ModelMultipleChoiceField):
    """Several published versions, named by their plans."""

    def label_from_instance(self, version: Any) -> str:
        return named(version)


class QuoteForm(Groups, forms.Form):
    """What a quote stands on."""

    title = forms.CharField(
        label=_("Title"), max_length=120, widget=forms.TextInput(attrs={"placeholder": _("Initech, 40 users")})
    )
    versions = VersionsChoice(
        label=_("Plans"), queryset=PlanVersion.objects.none(), widget=forms.CheckboxSelectMultiple
    )
    customer = forms.ModelChoiceField(
        label=_("With the traffic of"),
        queryset=Customer.objects.none(),
        required=False,
        empty_label=_("Nobody: typed below"),
        help_text=_("Each of its calls in the month is priced by each plan."),
    )
    month = forms.ChoiceField(label=_("Month"))
    traffic = forms.CharField(
        label=_("Typed traffic"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "Germany; 800; 200\nFrance; 200; 60"}),
        help_text=_("One a line: destination as the deck calls it; minutes a month; calls a month."),
    )
    cost = MicrosField(
        label=_("What these calls cost you"),
        required=False,
        help_text=_("Net, for typed traffic. A customer's own calls bring their costs."),
    )
    users = forms.IntegerField(label=_("Users"), required=False, min_value=0, max_value=100_000)
    numbers = forms.IntegerField(label=_("Phone numbers"), required=False, min_value=0, max_value=100_000)
    trunks = forms.IntegerField(label=_("Trunks"), required=False, min_value=0, max_value=10_000)
    channels = forms.IntegerField(
        label=_("Channels"), required=False, min_value=0, max_value=100_000, help_text=_("Calls at the same time.")
    )
    groups = [
        (_("The quote"), ["title", "versions"]),
        (_("Traffic"), ["customer", "month", "traffic", "cost"]),
        (_("How many (empty: as the customer has now)"), list(COUNTED)),
    ]

    def __init__(self, *args: Any, msp: Any, costs: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["versions"].queryset = versions_of(msp)
        self.fields["customer"].queryset = Customer.objects.filter(msp=msp).order_by("name")
        months, month = [], timezone.localdate().replace(day=1)
        for _turn in range(MONTHS):
            months.append((month.isoformat(), date_format(month, "F Y")))
            month = (month - timedelta(days=1)).replace(day=1)
        self.fields["month"].choices = months
        self.fields["month"].initial = months[1][0]
        if not costs:
            del self.fields["cost"]

    def clean_traffic(self) -> tuple[Traffic, ...]:
        found = []
        lines = [line for line in self.cleaned_data["traffic"].splitlines() if line.strip()]
        for number, line in enumerate(lines[:MOST_LINES], 1):
            destination, *parts = [part.strip() for part in line.split(";")]
            figures = [figure for part in parts if (figure := whole(part)) is not None]
            if not destination or len(parts) != 2 or len(figures) != 2:
                words = _now("Line %(line)d: write “Germany; 800; 200”: destination, minutes, calls.")
                raise ValidationError(words % {"line": number})
            found.append((destination, figures[0], figures[1]))
        try:
            return traffic_of(found)
        except ValidationError as error:
            raise ValidationError(error.messages)

    def clean(self) -> dict[str, Any]:
        told = super().clean() or {}
        if not told.get("customer") and not told.get("traffic") and "traffic" not in self.errors:
            self.add_error("traffic", _("Choose a customer, or type its traffic."))
        return told

    @property
    def assumptions(self) -> Assumptions:
        """Return what was assumed."""
        told = self.cleaned_data
        return Assumptions(
            date.fromisoformat(told["month"]),
            told["customer"],
            traffic=() if told["customer"] else told["traffic"],
            cost=None if told["customer"] else told.get("cost"),
            **{name: told[name] for name in COUNTED},
        )
