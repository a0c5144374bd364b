"""Forms of decks."""

from datetime import datetime, time, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from tenants.forms.codes import CurrencySelect
from tenants.models import Customer
from tenants.zones import zone_choices
from voice.carriers.models import Trunk
from voice.rating.decks import Direction
from voice.rating.files.codes import read_codes
from voice.rating.files.columns import FIELDS
from voice.rating.files.figures import Wrong
from voice.rating.files.lines import Line, Terms
from voice.rating.files.tables import MOST_BYTES
from voice.rating.forms_bands import BandsField
from voice.rating.forms_marks import Marks
from voice.rating.models import DeckImport, RateDeck
from voice.rating.money import MICROS

FREE = [
    (Direction.INTERNAL.value, _("Calls inside the customer")),
    (Direction.EMERGENCY.value, _("Emergency calls")),
    (Direction.IN.value, _("Incoming calls")),
]
DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


def midnight(deck: RateDeck, day: Any) -> datetime:
    """Return the moment at which a day begins in the deck's zone."""
    return datetime.combine(day, time(), tzinfo=deck.tzinfo)


class DeckForm(Groups, forms.ModelForm):
    """What a deck is, apart from its rates."""

    groups = [
        (_("The deck"), ["name", "kind", "currency", "zone", "note"]),
        (_("Without charge"), ["free"]),
        (_("Prices by the hour"), ["bands"]),
    ]
    row_version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    free = forms.MultipleChoiceField(
        label=_("Free of charge"),
        choices=FREE,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Calls in these directions cost nothing; every other call needs a rate."),
    )
    bands = BandsField(
        label=_("Time bands"),
        required=False,
        help_text=_(
            "Hours of the week with prices of their own, by the clock of the deck's time zone. Empty: a price holds"
            " around the clock. Until 00:00 is midnight; a row that ends before it begins runs into the next day."
            " Holidays, one date a line, have the rows that are ticked for them instead of their weekday's."
        ),
    )

    class Meta:
        model = RateDeck
        fields = ["name", "kind", "currency", "zone", "free", "bands", "note"]
        widgets = {"note": forms.Textarea(attrs={"rows": 2}), "name": forms.TextInput, "currency": CurrencySelect}

    def __init__(self, *args: Any, costs: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not costs:
            self.fields["kind"].choices = [(RateDeck.Kind.SELL.value, RateDeck.Kind.SELL.label)]
        self.fields["zone"].widget = forms.Select(choices=zone_choices())
        self.fields["zone"].help_text = _("A date in the deck is midnight there; time bands follow its clock.")
        self.fields["row_version"].initial = self.instance.row_version
        if not self.instance.pk:
            self.fields["free"].initial = [value for value, _label in FREE]

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()

    def _post_clean(self) -> None:
        # The service checks the whole row; here only what was typed is copied to it.
        for name in (*self.Meta.fields, "row_version"):
            if name in self.cleaned_data:
                setattr(self.instance, name, self.cleaned_data[name])
        self.instance.row_version = self.cleaned_data.get("row_version") or 0
        self.instance.bands = self.cleaned_data.get("bands") or None


class ImportForm(Groups, forms.Form):
    """A price list, and from when it holds."""

    file = forms.FileField(
        label=_("Price list"),
        help_text=_(
            "CSV or XLSX, up to 20 MB and 500,000 lines. Nothing is in force before you have seen what changes."
        ),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,.xlsx,text/csv,text/plain"}),
    )
    full = forms.ChoiceField(
        label=_("The file is"),
        choices=[("full", _("the whole deck: codes that it lacks end")), ("part", _("a part: other codes stay"))],
        widget=forms.RadioSelect,
        initial="full",
    )
    day = forms.DateField(
        label=_("In force from"),
        widget=DAY,
        help_text=_("Midnight in the deck's time zone. Lines with a later date of their own wait for it."),
    )
    note = forms.CharField(label=_("Note"), required=False, max_length=500)

    def __init__(self, *args: Any, deck: RateDeck, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deck = deck
        today = timezone.now().astimezone(deck.tzinfo).date()
        self.fields["day"].initial = today if not deck.rates.exists() else today + timedelta(days=1)

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise ValidationError(_("The file is larger than 20 MB. Split it."))
        return file

    def facts(self) -> dict[str, Any]:
        """Return what the service wants to know."""
        data = self.cleaned_data
        return {
            "name": data["file"].name,
            "content": data["file"].read(),
            "at": midnight(self.deck, data["day"]),
            "full": data["full"] == "full",
            "note": data["note"],
        }


class ReadForm(Groups, Marks):
    """How a file is to be read: its marks, its columns."""

    increments = forms.RegexField(
        r"^[0-9]{1,5}/[1-9][0-9]{0,4}\Z",
        label=_("Minimum/increment, where the file does not say it"),
        help_text=_("In seconds, such as 60/1: at least a minute, then every second."),
    )
    direction = forms.ChoiceField(
        label=_("Direction, where the file does not say it"),
        choices=[("out", _("Outgoing calls")), ("in", _("Incoming calls"))],
    )

    def __init__(self, *args: Any, file: DeckImport, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.file, options = file, file.options
        asked = options.get("asked", [])
        sheets = options.get("sheets") or []
        if len(sheets) > 1:
            choices = [(name, name) for name in sheets]
            self.fields["sheet"] = forms.ChoiceField(label=_("Sheet"), choices=choices, initial=options.get("sheet"))
        header = options.get("header", -1)
        self.fields["header"] = forms.ChoiceField(
            label=_("The first line shown is"),
            choices=[("heading", _("the headings")), ("rate", _("a rate already"))],
            initial="heading" if header >= 0 else "rate",
        )
        places = [("", _("not in the file")), *_columns(options)]
        for field in FIELDS:
            self.fields[f"column_{field.name}"] = forms.ChoiceField(
                label=str(field.label),
                choices=places,
                required=field.name in ("prefix",),
                initial=options.get("columns", {}).get(field.name, ""),
            )
        for name in ("increments", "direction"):
            self.fields[name].initial = options.get(name)
        for name in ("decimal", "dates"):
            self.fields[name].initial = options.get(name, "")
            if name in asked:
                self.fields[name].required = True
                self.fields[name].choices = self.fields[name].choices[1:]
        first = [name for name in ("decimal", "dates") if name in asked]
        named = [f"column_{field.name}" for field in FIELDS]
        self.groups = [
            (_("Please say"), first),
            (_("Columns"), [name for name in ("sheet", "header") if name in self.fields] + named[:5]),
            (_("More columns"), named[5:]),
            (
                _("What the file leaves open"),
                [n for n in ("increments", "direction", "decimal", "dates") if n not in first],
            ),
        ]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        chosen = [data.get(f"column_{field.name}") for field in FIELDS if data.get(f"column_{field.name}")]
        if len(set(chosen)) < len(chosen):
            raise ValidationError(_("A column can be one thing only."))
        if not data.get("column_per_minute"):
            self.add_error("column_per_minute", _("Say in which column the price per minute stands."))
        return data

    def options(self) -> dict[str, Any]:
        """Return what was said, in the words of the import."""
        data, old = self.cleaned_data, self.file.options
        if data.get("sheet") and data["sheet"] != old.get("sheet"):
            # Another sheet has columns of its own.
            return {"sheet": data["sheet"], "columns": None}
        columns = {
            field.name: int(data[f"column_{field.name}"]) for field in FIELDS if data.get(f"column_{field.name}")
        }
        bands = {name: place for name, place in old.get("columns", {}).items() if ":" in name}
        header = max(old.get("header", -1), 0) if data["header"] == "heading" else max(old.get("header", -1), 0) - 1
        said = {"columns": columns | bands, "header": header}
        for name in ("decimal", "dates", "increments", "direction"):
            said[name] = data.get(name, "")
        return said


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


class RateForm(Groups, forms.Form):
    """One rate, set by hand."""

    groups = [
        (_("Calls to"), ["codes", "destination", "callers"]),
        (_("Price"), ["per_minute", "fee", "minimum", "increment", "blocked"]),
        (_("When"), ["day", "note"]),
    ]
    codes = forms.CharField(label=_("Code"), help_text=_("Such as 447, or several: 1787, 1939 or 4420-4424."))
    destination = forms.CharField(label=_("Destination"), max_length=200)
    callers = forms.CharField(
        label=_("Callers"), required=False, help_text=_("Only for callers whose number begins so; empty is everybody.")
    )
    per_minute = forms.DecimalField(
        label=_("Per minute"), min_value=0, max_value=10_000, max_digits=12, decimal_places=6, required=False
    )
    fee = forms.DecimalField(
        label=_("Connection fee"), min_value=0, max_value=10_000, max_digits=12, decimal_places=6, initial=0
    )
    minimum = forms.IntegerField(label=_("Minimum"), min_value=0, max_value=86_400, initial=1)
    increment = forms.IntegerField(label=_("Increment"), min_value=1, max_value=86_400, initial=1)
    blocked = forms.BooleanField(label=_("Must not be called"), required=False)
    day = forms.DateField(label=_("In force from"), widget=DAY, help_text=_("Midnight in the deck's time zone."))
    note = forms.CharField(label=_("Note"), required=False, max_length=500)
    row_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, deck: RateDeck, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deck = deck
        self.fields["row_version"].initial = deck.row_version
        for name in ("per_minute", "fee"):
            self.fields[name].widget.attrs["data-unit"] = deck.currency
        for name in ("minimum", "increment"):
            self.fields[name].widget.attrs["data-unit"] = "s"
        self.fields["day"].initial = timezone.now().astimezone(deck.tzinfo).date()

    def clean_codes(self) -> list[str]:
        return self._codes("codes")

    def clean_callers(self) -> list[str]:
        return self._codes("callers") if self.cleaned_data["callers"] else [""]

    def _codes(self, name: str) -> list[str]:
        try:
            return read_codes(self.cleaned_data[name].strip())
        except Wrong as wrong:
            raise ValidationError(str(wrong)) from wrong

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if data.get("per_minute") is None and not data.get("blocked"):
            self.add_error("per_minute", _("Enter a price; 0 is free of charge."))
        return data

    def lines(self) -> list[Line]:
        """Return the rates that the form means."""
        data = self.cleaned_data
        terms = Terms(
            data["destination"], int((data["per_minute"] or 0) * MICROS), int(data["fee"] * MICROS), data["minimum"],
            data["increment"], blocked=data["blocked"],
        )  # fmt: skip
        return [
            Line(0, ("out", code, caller), terms, None, None) for code in data["codes"] for caller in data["callers"]
        ]

    @property
    def at(self) -> datetime:
        return midnight(self.deck, self.cleaned_data["day"])


class AssignForm(forms.Form):
    """Who is priced by a deck, and from when."""

    who = forms.ModelChoiceField(label=_("Customer"), queryset=Customer.objects.none())
    day = forms.DateField(label=_("From"), widget=DAY, help_text=_("Midnight in the deck's time zone."))

    def __init__(self, *args: Any, deck: RateDeck, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.deck = deck
        if deck.kind == RateDeck.Kind.SELL:
            living = [Customer.State.ACTIVE, Customer.State.SUSPENDED]
            self.fields["who"].queryset = Customer.objects.filter(msp=deck.msp_id, state__in=living).order_by("name")
        else:
            self.fields["who"].label = _("Trunk")
            trunks = Trunk.objects.open().shared().filter(msp=deck.msp_id)
            self.fields["who"].queryset = trunks.in_name_order()
        self.fields["day"].initial = timezone.now().astimezone(deck.tzinfo).date()

    @property
    def begins(self) -> datetime:
        return midnight(self.deck, self.cleaned_data["day"])
