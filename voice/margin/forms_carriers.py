"""Forms of carriers' invoices: the file, how it is read, what was decided."""

from datetime import timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.timezone import localdate
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from tenants.forms.codes import CurrencySelect
from tenants.models import Msp
from tenants.zones import zone_choices
from voice.carriers.models import Carrier
from voice.margin.carrier_files import FIELDS, lacking
from voice.margin.models import CarrierFormat, CarrierInvoice
from voice.rating.files.tables import MOST_BYTES
from voice.rating.forms_marks import Marks
from voice.rating.selectors_decks import buying_currency
from voice.receivables.selectors import usual_currency

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
FACTS = ["zone", "currency", "time_tolerance", "seconds_tolerance"]


class CarrierInvoiceForm(Groups, forms.ModelForm[CarrierInvoice]):
    """A carrier's file of calls, and the period that it is about."""

    groups = [
        (_("The invoice"), ["carrier", "number", "file"]),
        (_("Its period"), ["begins", "ends"]),
        (_("How it is compared"), FACTS),
    ]
    file = forms.FileField(
        label=_("Call records"),
        help_text=_("CSV or XLSX with a line for each call: number, beginning, duration, amount. Up to 20 MB."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.xlsx,text/csv,text/plain"}),
    )

    class Meta:
        model = CarrierInvoice
        fields = ["carrier", "number", "begins", "ends", *FACTS]
        widgets = {"begins": DAY, "ends": DAY, "number": forms.TextInput, "currency": CurrencySelect}
        help_texts = {
            "zone": _("The clock by which the file's times are written."),
            "time_tolerance": _(
                "A call that begins this much earlier or later is the same call. A clock that is whole quarters of an"
                " hour off is found by itself."
            ),
            "seconds_tolerance": _("A call that is this much longer or shorter agrees."),
        }  # fmt: skip

    def __init__(self, *args: Any, msp: Msp, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        carriers = Carrier.objects.filter(msp=msp).order_by("name")
        self.fields["carrier"].queryset = carriers  # type: ignore[attr-defined]
        self.fields["zone"].widget = forms.Select(choices=zone_choices())
        for name in ("time_tolerance", "seconds_tolerance"):
            if name in self.fields:
                self.fields[name].widget.attrs["data-unit"] = "s"
        first = localdate().replace(day=1)
        # Of a fresh row the form would show that it has no days and the settings of a first file.
        last = first - timedelta(days=1)
        self.initial["begins"], self.initial["ends"] = last.replace(day=1), last
        self.initial["currency"] = buying_currency(msp) or usual_currency(msp)
        known = CarrierFormat.objects.filter(msp=msp).order_by("-pk").values_list("options", flat=True).first() or {}
        for name in FACTS:
            if name in known and name in self.fields:
                self.initial[name] = known[name]

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise ValidationError(_("The file is larger than 20 MB. Split it."))
        return file

    def _post_clean(self) -> None:
        # The service checks the whole row; here only what was typed is copied to it.
        for name in self.Meta.fields:
            if name in self.cleaned_data:
                setattr(self.instance, name, self.cleaned_data[name])
        if "file" in self.cleaned_data:
            self.instance.name = self.cleaned_data["file"].name


class CarrierTotalsForm(CarrierInvoiceForm):
    """What a carrier asks by destination or in total, typed or as a file, and its period."""

    groups = [
        (_("The invoice"), ["carrier", "number", "currency"]),
        (_("Its period"), ["begins", "ends", "zone"]),
        (_("What they ask, without tax"), ["totals", "file", "decimal"]),
    ]
    totals = forms.CharField(
        label=_("Amounts"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 8, "placeholder": "Germany; 120.50\nGermany, mobile; 48.10"}),
        help_text=_("A line for each destination, a semicolon, the amount. Or the total of the invoice alone."),
    )
    decimal = Marks.base_fields["decimal"]

    class Meta(CarrierInvoiceForm.Meta):
        fields = ["carrier", "number", "currency", "begins", "ends", "zone"]
        help_texts = {"zone": _("The clock by which the carrier's days begin and end.")}

    def __init__(self, *args: Any, msp: Msp, **kwargs: Any) -> None:
        super().__init__(*args, msp=msp, **kwargs)
        file = self.fields["file"]
        file.required, file.label = False, _("Or a file")
        self.fields["zone"].label = _("Time zone")
        file.help_text = _("CSV or XLSX with destination and amount. A line that adds the others up is left out.")

    def clean_file(self) -> Any:
        return super().clean_file() if self.cleaned_data["file"] else None

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not self.errors and bool(data.get("file")) == bool(data.get("totals", "").strip()):
            self.add_error("totals", _("Write the amounts, or choose a file: one of them."))
        return data

    def _post_clean(self) -> None:
        if not self.cleaned_data.get("file"):
            self.cleaned_data.pop("file", None)
            self.instance.name = gettext("Typed amounts")
        super()._post_clean()

    def content(self) -> tuple[bytes, bool]:
        """Return what is to be compared, and whether it was typed."""
        file = self.cleaned_data.get("file")
        return (file.read(), False) if file else (self.cleaned_data["totals"].encode(), True)


class ReadForm(Groups, Marks):
    """How a carrier's file is to be read: its columns, its marks, its clock."""

    zone = forms.ChoiceField(label=_("Time zone of the file"))
    time_tolerance = forms.IntegerField(
        label=_("Seconds that a call may begin earlier or later"), min_value=0, max_value=3600
    )
    seconds_tolerance = forms.IntegerField(
        label=_("Seconds that a call may be longer or shorter"), min_value=0, max_value=60
    )

    def __init__(self, *args: Any, invoice: CarrierInvoice, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.invoice, options = invoice, invoice.options
        asked = options.get("asked", [])
        self.fields["zone"].choices = zone_choices()  # type: ignore[attr-defined]
        sheets = options.get("sheets") or []
        if len(sheets) > 1:
            choices = [(name, name) for name in sheets]
            self.fields["sheet"] = forms.ChoiceField(label=_("Sheet"), choices=choices, initial=options.get("sheet"))
        self.fields["header"] = forms.ChoiceField(
            label=_("The first line shown is"),
            choices=[("heading", _("the headings")), ("call", _("a call already"))],
            initial="heading" if options.get("header", -1) >= 0 else "call",
        )
        places = [("", _("not in the file")), *_columns(options)]
        for field in FIELDS:
            self.fields[f"column_{field.name}"] = forms.ChoiceField(
                label=str(field.label),
                choices=places,
                required=field.name in ("called", "seconds", "amount"),
                initial=options.get("columns", {}).get(field.name, ""),
            )
        for name in ("zone", "time_tolerance", "seconds_tolerance"):
            self.fields[name].initial = getattr(invoice, name)
        for name in ("decimal", "dates"):
            self.fields[name].initial = options.get(name, "")
            if name in asked:
                self.fields[name].required = True
                self.fields[name].choices = self.fields[name].choices[1:]  # type: ignore[attr-defined]
        first = [name for name in ("decimal", "dates") if name in asked]
        named = [f"column_{field.name}" for field in FIELDS]
        self.groups = [
            (_("Please say"), first),
            (_("Columns"), [name for name in ("sheet", "header") if name in self.fields] + named),
            (_("How it is compared"), ["zone", "time_tolerance", "seconds_tolerance"]),
            (_("What the file leaves open"), [name for name in ("decimal", "dates") if name not in first]),
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        chosen = self._chosen(data)
        if len(set(chosen.values())) < len(chosen):
            raise ValidationError(_("A column can be one thing only."))
        if not self.errors and lacking(chosen):
            self.add_error("column_at", _("Say where the beginning stands: in one column, or as date and time."))
        return data

    def _chosen(self, data: dict[str, Any]) -> dict[str, int]:
        return {field.name: int(data[f"column_{field.name}"]) for field in FIELDS if data.get(f"column_{field.name}")}

    def options(self) -> dict[str, Any]:
        """Return what was said of the file, in the words of the check."""
        data, old = self.cleaned_data, self.invoice.options
        if data.get("sheet") and data["sheet"] != old.get("sheet"):
            # Another sheet has columns of its own.
            return {"sheet": data["sheet"], "columns": None}
        top = max(old.get("header", -1), 0)
        header = top if data["header"] == "heading" else top - 1
        return {
            "columns": self._chosen(data), "header": header, "decimal": data["decimal"], "dates": data["dates"],
        }  # fmt: skip

    def facts(self) -> dict[str, Any]:
        """Return what was said of how calls are compared."""
        return {name: self.cleaned_data[name] for name in ("zone", "time_tolerance", "seconds_tolerance")}


class DecideForm(forms.ModelForm[CarrierInvoice]):
    """What becomes of an invoice."""

    row_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    class Meta:
        model = CarrierInvoice
        fields = ["state", "note"]
        widgets = {"state": forms.RadioSelect, "note": forms.Textarea(attrs={"rows": 4})}
        help_texts = {"note": _("For example whom you wrote to, and what you ask for.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row_version"].initial = self.instance.row_version

    def _post_clean(self) -> None:
        # The service checks the row.
        seen = self.cleaned_data.get("row_version")
        self.instance.row_version = self.instance.row_version if seen is None else seen


def _columns(options: dict[str, Any]) -> list[tuple[str, str]]:
    sample = options.get("sample") or [[]]
    width = max((len(cells) for cells in sample), default=0)
    return [
        (
            str(place),
            f"{place + 1}: {next((cells[place] for cells in sample if place < len(cells) and cells[place]), '')[:40]}",
        )
        for place in range(width)
    ]
