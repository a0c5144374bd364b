"""Forms of the routing pages."""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.core.fields import parse_number
from portal.ui.forms import Groups
from voice.carriers.models import Trunk
from voice.carriers.trunk_order import order_fields
from voice.routing import selectors
from voice.routing.models import Route, Schedule

DAYS = [
    (0, _("Monday")),
    (1, _("Tuesday")),
    (2, _("Wednesday")),
    (3, _("Thursday")),
    (4, _("Friday")),
    (5, _("Saturday")),
    (6, _("Sunday")),
]
WINDOW_ROWS = 4  # or one more than there are: a program may have given as many as a week has


class RouteForm(Groups, forms.ModelForm):
    """A line of the policy; the trunks are numbered choices, so that their order is typed without a mouse.

    `length` is how long the call is, in words, by whose cost a line finds the cheapest trunk.
    """

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    groups = [
        (_("When"), ["pattern", "caller_pattern", "schedule"]),
        (_("Then"), ["action", "trunk_order"]),
        (_("About this line"), ["note", "enabled"]),
    ]

    class Meta:
        model = Route
        fields = ["pattern", "caller_pattern", "schedule", "action", "trunk_order", "enabled", "note"]
        widgets = {
            "pattern": forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off", "placeholder": "+44*"}),
            "caller_pattern": forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
            "note": forms.TextInput,
            "action": forms.RadioSelect,
            "trunk_order": forms.RadioSelect,
        }

    def __init__(self, *args: Any, trunks: Iterable[Trunk], length: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.trunks = list(trunks)
        self.fields["pattern"].help_text = _(
            "With the country code: +44* is all of the United Kingdom, +4420* is London alone, * is every number."
        )
        self.fields["caller_pattern"].help_text = _(
            "Blank is every caller. What counts is whose call it is: the caller's own number, the one that "
            "forwards the call, or your default caller ID in place of a number that is not yours."
        )
        self.fields["schedule"].queryset = Schedule.objects.order_by("name")
        self.fields["schedule"].empty_label = _("At any hour")
        self.fields["trunk_order"].required = False  # left out, it stays as it is
        self.fields["trunk_order"].help_text = _(
            "Cheapest first: for each called number the trunk is tried first over which a call of %(length)s costs "
            "your provider the least at that moment, with its connection fee and begun minutes. The list above decides "
            "only where they cost the same. Trunks of your own come first. If one fails, the next cheapest is tried."
        ) % {"length": length}
        if self.instance.is_default:
            for name in ("pattern", "caller_pattern", "schedule", "enabled"):
                del self.fields[name]
        # A new line begins with the trunks that all other calls take.
        like = self.instance if self.instance.pk else selectors.default_route()
        chosen = [each.trunk_id for each in like.trunks.all()] if like.pk else []
        self.fields["seen"].initial = self.instance.row_version if self.instance.pk else None
        self.order = order_fields(self.trunks, chosen)
        self.fields |= self.order
        when, _then, about = self.groups
        self.groups = [when, (_("Then"), ["action", *self.order, "trunk_order"]), about]

    @property
    def trunk_ids(self) -> list[int]:
        """The chosen trunks in the order they are tried."""
        return [pk for name in self.order if (pk := self.cleaned_data.get(name))]

    def _post_clean(self) -> None:
        # The service checks the whole line with its trunks; here only the fields are copied to the instance.
        for name, value in self.cleaned_data.items():
            if name in self.Meta.fields and not (name == "trunk_order" and not value):
                setattr(self.instance, name, value)


class TryForm(forms.Form):
    """A number to try against the policy."""

    number = forms.CharField(
        label=_("Number to call"), max_length=40, widget=forms.TextInput(attrs={"inputmode": "tel"})
    )
    caller = forms.CharField(
        label=_("Calling from"),
        max_length=40,
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "tel"}),
        help_text=_(
            "Whose call it is; of a forwarded call, the number that forwards it. Empty is your default caller ID."
        ),
    )
    at = forms.DateTimeField(
        label=_("At"),
        required=False,
        help_text=_("Empty is now."),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, country: str, emergency: Iterable[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.country, self.emergency = country, set(emergency)

    def clean_number(self) -> str:
        typed = self.cleaned_data["number"].strip()
        return typed if typed in self.emergency else parse_number(typed, self.country)

    def clean_caller(self) -> str:
        typed = self.cleaned_data["caller"].strip()
        return parse_number(typed, self.country) if typed else ""


class ScheduleForm(forms.ModelForm):
    """Opening hours as rows of days and times."""

    seen = forms.IntegerField(widget=forms.HiddenInput, required=False)
    closed_text = forms.CharField(
        label=_("Closed on"),
        required=False,
        help_text=_("Dates such as 2026-12-24, one a line."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    class Meta:
        model = Schedule
        fields = ["name"]
        widgets = {"name": forms.TextInput}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.instance.windows or [{"days": [0, 1, 2, 3, 4], "begin": "09:00", "until": "17:00"}]
        self.count = max(WINDOW_ROWS, len(stored) + 1)
        self.fields["seen"].initial = self.instance.row_version if self.instance.pk else None
        self.fields["closed_text"].initial = "\n".join(self.instance.closed)
        for row in range(self.count):
            window = stored[row] if row < len(stored) else {"days": [], "begin": "", "until": ""}
            self.fields[f"days_{row}"] = forms.TypedMultipleChoiceField(
                label=_("Days"),
                choices=DAYS,
                coerce=int,
                required=False,
                initial=window["days"],
                widget=forms.CheckboxSelectMultiple,
            )
            for name, label in (("begin", _("From")), ("until", _("Until"))):
                self.fields[f"{name}_{row}"] = forms.TimeField(
                    label=label,
                    required=False,
                    initial=window[name],
                    widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
                )

    def rows(self) -> list[list[forms.BoundField]]:
        """Return the fields of each row for the template."""
        return [[self[f"{name}_{row}"] for name in ("days", "begin", "until")] for row in range(self.count)]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        windows = []
        for row in range(self.count):
            days, begin, until = (data.get(f"{name}_{row}") for name in ("days", "begin", "until"))
            if days and begin is not None and until is not None:
                windows.append({"days": days, "begin": f"{begin:%H:%M}", "until": f"{until:%H:%M}"})
            elif days and (begin is None or until is None):
                self.add_error(f"begin_{row}", ValidationError(_("Give both times for these days.")))
            elif not days and (begin is not None or until is not None):
                self.add_error(f"days_{row}", ValidationError(_("Choose the days for these times.")))
        self.instance.windows = windows
        self.instance.closed = [line.strip() for line in data.get("closed_text", "").splitlines() if line.strip()]
        return data

    def _post_clean(self) -> None:
        self.instance.name = self.cleaned_data.get("name", "")
