"""Forms of the MSP's number stock."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from tenants.countries import country_choices
from tenants.models import Customer, Msp
from tenants.services.customers import OPEN_STATES
from voice.inventory.imports import MOST_BYTES, Carrier
from voice.inventory.models import StockImport, StockNumber


class ImportForm(Groups, forms.Form):
    """Numbers to bring in: typed as ranges, or a file."""

    groups = [
        (_("Type ranges"), ["ranges"]),
        (_("Or choose a file"), ["file"]),
        (_("For numbers that do not say it themselves"), ["country", "carrier"]),
    ]
    ranges = forms.CharField(
        label=_("Numbers and ranges"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false", "placeholder": "+49301234500-99"}),
        help_text=_("One a line: +49301234500, +49301234500-99, +49301234500 x100."),
    )
    file = forms.FileField(
        label=_("CSV file"),
        required=False,
        help_text=_(
            "A column named number, or first and last; also country, kind, carrier and monthly_cost. Up to 20 MB."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv,text/plain"}),
    )
    country = forms.ChoiceField(label=_("Country"), choices=country_choices)
    carrier = forms.ModelChoiceField(label=_("Carrier"), queryset=Carrier.objects.none(), required=False)

    def __init__(self, *args: Any, msp: Msp, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.msp = msp
        self.fields["carrier"].queryset = Carrier.objects.filter(msp=msp).order_by("name")
        self.fields["carrier"].empty_label = _("None")
        latest = StockImport.objects.filter(msp=msp).order_by("-pk").values_list("default_country", flat=True).first()
        first = Customer.objects.filter(msp=msp).order_by("pk").values_list("country", flat=True).first()
        self.fields["country"].initial = latest or first

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("file")) == bool(data.get("ranges", "").strip()):
            raise ValidationError(_("Type numbers, or choose a file: one of the two."))
        file = data.get("file")
        if file and file.size > MOST_BYTES:
            self.add_error("file", _("The file is larger than 20 MB. Split it."))
        return data

    def draft(self) -> StockImport:
        """Return the import that the form describes."""
        data = self.cleaned_data
        file = data.get("file")
        return StockImport(
            msp=self.msp,
            name=file.name[:200] if file else data["ranges"].strip().splitlines()[0][:200],
            content=file.read() if file else data["ranges"].encode(),
            default_country=data["country"],
            carrier=data["carrier"],
        )


class StockNumberForm(forms.ModelForm):
    """What the MSP notes about one number."""

    row_version = forms.IntegerField(widget=forms.HiddenInput)
    cost = forms.DecimalField(label=_("Monthly cost"), required=False, min_value=0, max_digits=12, decimal_places=6)

    class Meta:
        model = StockNumber
        fields = ["kind", "carrier"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row_version"].initial = self.instance.row_version
        self.fields["carrier"].empty_label = _("None")
        self.fields["carrier"].queryset = Carrier.objects.filter(msp=self.instance.msp_id).order_by("name")
        cost = self.instance.monthly_cost
        self.fields["cost"].initial = None if cost is None else cost / 1_000_000

    def _post_clean(self) -> None:
        # The service checks the whole row; here only what was typed is copied to it.
        for name in ("kind", "carrier", "row_version"):
            if name in self.cleaned_data:
                setattr(self.instance, name, self.cleaned_data[name])
        cost = self.cleaned_data.get("cost")
        self.instance.monthly_cost = None if cost is None else int(cost * 1_000_000)


class ReserveForm(forms.Form):
    """For whom numbers are kept back."""

    customer = forms.ModelChoiceField(
        label=_("Customer"), queryset=Customer.objects.none(), required=False, empty_label=_("Nobody yet")
    )

    def __init__(self, *args: Any, msp: Msp, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["customer"].queryset = Customer.objects.filter(msp=msp, state__in=OPEN_STATES).order_by("name")
