"""Forms of people, sites, addresses and places."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from voice.directory import countries, selectors
from voice.directory.models import CivicAddress, Person, Place, Site


class DirectoryForm(forms.ModelForm):
    """A form of one row: what was typed goes to the row, the service checks it."""

    row_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row_version"].initial = self.instance.row_version

    def _post_clean(self) -> None:
        for name, value in self.cleaned_data.items():
            if name != "row_version" or value is not None:
                setattr(self.instance, name, value)


class PersonForm(DirectoryForm):
    class Meta:
        model = Person
        fields = ["name", "email", "site"]
        widgets = {"name": forms.TextInput, "email": forms.EmailInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["site"].queryset = Site.objects.order_by("name")
        self.fields["site"].empty_label = _("None")


class SiteForm(DirectoryForm):
    class Meta:
        model = Site
        fields = ["name", "address"]
        widgets = {"name": forms.TextInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["address"].queryset = selectors.addresses()
        self.fields["address"].empty_label = _("None")


class AddressForm(Groups, DirectoryForm):
    country = forms.ChoiceField(label=_("Country"), choices=countries.choices)
    groups = [
        (
            _("Who and where"),
            ["company", "country", "street", "house_number", "postal_code", "city", "state_or_province"],
        ),
        (_("Point on the map"), ["latitude", "longitude"]),
    ]

    class Meta:
        model = CivicAddress
        fields = [
            "company", "country", "street", "house_number", "postal_code", "city", "state_or_province", "latitude",
            "longitude",
        ]  # fmt: skip
        widgets = dict.fromkeys(fields[:1] + fields[2:7], forms.TextInput)
        help_texts = {"state_or_province": _("Its short form where there is one, for example WA.")}


class PlaceForm(DirectoryForm):
    class Meta:
        model = Place
        fields = ["address", "description"]
        widgets = {"description": forms.TextInput(attrs={"placeholder": _("2nd floor, east wing")})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["address"].queryset = selectors.addresses()
        self.fields["address"].empty_label = None
