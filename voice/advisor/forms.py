"""Forms of the advisor: the question, its groups of people, the assumptions."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from tenants.countries import country_choices
from tenants.forms.codes import CurrencySelect
from tenants.models import Customer, Msp
from voice.advisor.assumptions import FIGURES, GROUPS, Figure, Kind
from voice.advisor.models import MOST_MINUTES, MOST_PEOPLE, Assessment, UserGroup
from voice.advisor.services import MOST_GROUPS
from voice.advisor.ways import NEEDS
from voice.rating.money import MICROS
from voice.receivables.forms import AmountField


class AssessmentForm(Groups, forms.ModelForm):
    """For whom, what they need, and what counts most."""

    row_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    needs = forms.MultipleChoiceField(
        label=_("What they ask for"),
        choices=[(need.value, words) for need, words in NEEDS.items()],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A way that cannot do one of these is marked as not fitting."),
    )
    groups = [
        (_("For whom"), ["name", "tenant", "currency"]),
        (_("Needs"), ["needs", "weeks", "goal"]),
        (_("Remarks"), ["note"]),
    ]

    class Meta:
        model = Assessment
        fields = ["name", "tenant", "currency", "needs", "weeks", "goal", "note"]
        widgets = {"name": forms.TextInput, "currency": CurrencySelect, "note": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "name": _("A company, or what you call the question, for example “Contoso, two sites”."),
            "tenant": _("If they are your customer already."),
            "weeks": _("Leave empty if there is no hurry."),
        }

    def __init__(self, *args: Any, msp: Msp, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tenant"].queryset = Customer.objects.filter(msp=msp).order_by("name")  # type: ignore[attr-defined]
        self.fields["row_version"].initial = self.instance.row_version

    def _post_clean(self) -> None:
        # The service checks and stores.
        for name, value in self.cleaned_data.items():
            if value is not None or name in ("tenant", "weeks"):
                setattr(self.instance, name, value)


class GroupForm(forms.Form):
    """Some people, or devices, of one country."""

    profile = forms.ChoiceField(label=_("Who"), choices=UserGroup.Profile.choices)
    country = forms.ChoiceField(label=_("Country"))
    people = forms.IntegerField(label=_("How many"), min_value=1, max_value=MOST_PEOPLE)
    domestic = forms.IntegerField(
        label=_("Domestic minutes"), min_value=0, max_value=MOST_MINUTES, help_text=_("each, in a month")
    )
    international = forms.IntegerField(
        label=_("International minutes"), min_value=0, max_value=MOST_MINUTES, help_text=_("each, in a month")
    )

    def __init__(self, *args: Any, home: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = country_choices()  # type: ignore[attr-defined]
        # A row in which nothing else was typed is passed over.
        for name, value in (("country", home), ("domestic", 150), ("international", 10)):
            self.fields[name].initial = value


class Rows(forms.BaseFormSet):
    """The groups of a question, with a box to leave one out."""

    def add_fields(self, form: forms.BaseForm, index: int | None) -> None:
        """Add the box."""
        super().add_fields(form, index)
        form.fields["DELETE"].label = _("Leave this group out")


GroupFormSet = forms.formset_factory(
    GroupForm, Rows, extra=1, max_num=MOST_GROUPS, validate_max=True, can_delete=True, absolute_max=MOST_GROUPS + 5
)


class AssumptionsForm(Groups, forms.Form):
    """Every assumption, with its unit; amounts in the currency's unit."""

    row_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    groups = [(words, [figure.key for figure in FIGURES if figure.group == name]) for name, words in GROUPS.items()]

    def __init__(self, *args: Any, values: Mapping[str, Any], row_version: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row_version"].initial = row_version
        for figure in FIGURES:
            field = self.fields[figure.key] = _field(figure)
            field.initial = _shown(figure, values[figure.key])

    def values(self) -> dict[str, Any]:
        """Return what was given, as the service takes it."""
        return {figure.key: self.cleaned_data[figure.key] for figure in FIGURES if figure.key in self.cleaned_data}


def _field(figure: Figure) -> forms.Field:
    label: Any = figure.label
    unit: Any = figure.unit
    if figure.kind is Kind.YES:
        return forms.BooleanField(label=label, required=False)
    if figure.kind is Kind.COUNTRIES:
        return forms.CharField(label=label, required=False, max_length=1000, help_text=_("Codes such as DE FR GB."))
    if figure.kind is Kind.MONEY:
        return AmountField(label=label, help_text=unit)
    return forms.IntegerField(label=label, min_value=0, max_value=figure.most, help_text=unit)


def _shown(figure: Figure, value: Any) -> Any:
    if figure.kind is not Kind.MONEY:
        return value
    whole, part = divmod(value, MICROS)
    decimals = f"{part:06}".rstrip("0")
    return f"{whole}.{decimals.ljust(2, '0')}"
