"""Time bands as a form: a row for each window of the week, and the holidays, one a line."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from voice.rating.band_codec import read_bands
from voice.rating.bands import BadBands
from voice.rating.week import week

DAYS = [
    (0, _("Mo")), (1, _("Tu")), (2, _("We")), (3, _("Th")), (4, _("Fr")), (5, _("Sa")), (6, _("Su")),
    (7, _("Holidays")),
]  # fmt: skip
SPARE, MOST_ROWS = 3, 60
CELLS = ("band", "begin", "until")


class BandsWidget(forms.Widget):
    """Draws the rows, some spare ones below, the holidays, and the week as it is now."""

    template_name = "components/bands.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Return the rows as they were typed."""
        count = data.get(f"{name}-rows", "")
        if not (count.isascii() and count.isdigit()):
            return None
        rows = []
        for place in range(min(int(count[:3]), MOST_ROWS)):
            row = {cell: data.get(f"{name}-{place}-{cell}", "").strip() for cell in CELLS}
            days = data.getlist(f"{name}-{place}-days") if hasattr(data, "getlist") else []
            row["days"] = [int(day) for day in days if day in {"0", "1", "2", "3", "4", "5", "6", "7"}]
            rows.append(row)
        return {"rows": rows, "holidays": data.get(f"{name}-holidays", "")}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return f"{name}-rows" not in data

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        typed = value if isinstance(value, Mapping) and "rows" in value else typed_of(value)
        rows = [row for row in typed["rows"] if any(row.values())]
        rows += [{"band": "", "begin": "", "until": "", "days": []} for _each in range(SPARE)]
        context["widget"] |= {
            "rows": [
                row | {"days": [(day, label, day in row["days"]) for day, label in DAYS]} for row in rows[:MOST_ROWS]
            ],
            "count": len(rows[:MOST_ROWS]), "holidays": typed["holidays"],
            "picture": picture(value if not (isinstance(value, Mapping) and "rows" in value) else None),
        }  # fmt: skip
        return context


class BandsField(forms.Field):
    """The bands of a deck, as `band_codec` keeps them; None for none."""

    widget = BandsWidget

    def clean(self, value: Any) -> dict[str, Any] | None:
        """Return what the rows mean, or say which of them means nothing."""
        if not value:
            return None
        wrong: list[str] = []
        windows = []
        for place, row in enumerate(value["rows"], 1):
            if any(row[name] for name in (*CELLS, "days")):
                lacks = [label for name, label in _labels() if not row[name]]
                if lacks:
                    words = _now("Row %(n)d lacks: %(what)s.")
                    wrong.append(words % {"n": place, "what": ", ".join(lacks)})
                else:
                    windows.append({name: row[name] for name in (*CELLS, "days")})
        holidays = []
        for text in value["holidays"].replace(",", "\n").split():
            try:
                holidays.append(date.fromisoformat(text).isoformat())
            except ValueError:
                wrong.append(_now("%(text)s is no date; write 2026-12-25.") % {"text": text[:40]})
        if wrong:
            raise ValidationError(wrong)
        if not windows and not holidays:
            return None
        bands = {"windows": windows, "holidays": sorted(set(holidays))}
        try:
            read_bands(bands, "UTC")
        except BadBands as error:
            raise ValidationError(str(error)) from error
        return bands

    def has_changed(self, initial: Any, data: Any) -> bool:
        return True


def typed_of(stored: Any) -> dict[str, Any]:
    """Return stored bands as somebody would have typed them."""
    if not isinstance(stored, Mapping):
        return {"rows": [], "holidays": ""}
    rows = [{name: each.get(name, "") for name in CELLS} | {"days": each.get("days", [])} for each in
            stored.get("windows", [])]  # fmt: skip
    return {"rows": rows, "holidays": "\n".join(stored.get("holidays", []))}


def picture(stored: Any) -> dict[str, Any] | None:
    """Return the week of stored bands for `components/week.html`, None where there are none or they make no sense."""
    try:
        bands = read_bands(stored, "UTC") if isinstance(stored, Mapping) else None
    except BadBands:
        return None
    if bands is None:
        return None
    names = sorted({window.band for window in bands.windows})
    place = {name: number for number, name in enumerate(names, 1)}
    days = [label for _day, label in DAYS]
    return {
        "hours": range(24),
        "names": [(place[name], name) for name in names],
        "days": [
            (
                label,
                [
                    (hour.hour, place.get(hour.first, 0), [name or _now("ordinary price") for name in hour.bands])
                    for hour in hours
                ],
            )
            for label, hours in zip(days, week(bands.windows), strict=False)
        ],
    }


def _labels() -> list[tuple[str, str]]:
    return [("band", _now("the band")), ("days", _now("days")), ("begin", _now("from")), ("until", _now("until"))]
