"""The list of assessments, and how advice is laid out for reading."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from portal.ui import values
from portal.ui.lists import Action, Choice, Column, Empty, ListPage
from portal.ui.status import Status, status
from tenants.countries import country_name
from voice.advisor import selectors
from voice.advisor.advice import Advice, Option
from voice.advisor.assumptions import FIGURES, GROUPS, Figure, Kind, Words
from voice.advisor.models import Assessment, UserGroup
from voice.advisor.ways import MEANINGS, NAMES, Way

NEW = Action(_("New question"), "advisor:new", "plus", "advice.change")
FIRST = Action(_("Your first values"), "advisor:first_values", "adjustments", "advice.change")
BAR = 400


class AssessmentList(ListPage):
    title = _("Connectivity advisor")
    lead = _(
        "Which way to the telephone network suits a customer: Direct Routing, Operator Connect, Calling Plans,"
        " Teams Phone Mobile or a mix, with cost, price and margin over the term."
    )
    columns = [
        Column("name", _("For whom"), link="advisor:detail", sort=True),
        Column("tenant__name", _("Customer"), value=lambda row: row.tenant or "", card=False),
        Column("people", _("People"), kind="count", sort=True),
        Column("goal", _("What counts most"), value=lambda row: row.get_goal_display(), card=False),
        Column("best", _("Best way"), value=lambda row: best_name(selectors.advice_for(row))),
        Column("changed_at", _("Changed"), kind="ago", sort=True),
    ]
    search_fields = ["name", "tenant__name", "note"]
    search_label = _("Search name or note")
    default_sort = "-changed_at"
    export_name = "assessments"
    actions = [NEW, FIRST]
    empty = Empty(
        _("No questions yet."),
        _("For example “Contoso: 40 people in Germany, 5 door phones, first call in six weeks”."),
        NEW,
        "bulb",
    )

    @cached_property
    def filters(self) -> list[Any]:  # type: ignore[override]
        return [Choice("goal", _("What counts most"), Assessment.Goal.choices)]

    def queryset(self) -> QuerySet[Assessment]:
        return selectors.assessments(self.request.msp)  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Card:
    """An option as the page shows it: `cost` and `margin` are widths of the bar."""

    option: Option
    name: Words
    meaning: Words
    state: Status
    cost_bar: int
    margin_bar: int
    groups: list[tuple[str, Words]]


@dataclass(frozen=True)
class Assumed:
    """An assumption as it is read: its value, and its unit with a word where the figure is somebody's own."""

    label: Words
    value: str
    unit: Words


def best_name(advice: Advice) -> Words:
    """Return the name of the best way, a dash where none fits."""
    return NAMES[advice.best.way] if advice.best else "–"


def cards(advice: Advice, assessment: Assessment) -> list[Card]:
    """Return the options in their order, their bars drawn to one scale."""
    most = max((max(option.price, option.cost) for option in advice.options), default=0) or 1
    groups = list(assessment.groups.order_by("position"))
    return [_card(option, option is advice.best, most, groups) for option in advice.options]


def _card(option: Option, is_best: bool, most: int, groups: list[UserGroup]) -> Card:
    state = status("done", word=_("Best")) if is_best else status("active", word=_("Fits"))
    if not option.fits:
        state = status("blocked", word=_("Does not fit"))
    cost_bar = BAR * option.cost // most
    shown = zip(groups, option.ways, strict=True) if option.way is Way.MIX and option.fits else ()
    parts = [(f"{country_name(group.country)}, {group.people}", NAMES[way]) for group, way in shown]
    margin_bar = max(0, BAR * option.margin // most)
    return Card(option, NAMES[option.way], MEANINGS[option.way], state, cost_bar, margin_bar, parts)


def assumed(reckoned: dict[str, Any], currency: str, *, with_costs: bool) -> list[tuple[Words, list[Assumed]]]:
    """Return the assumptions by group; without costs nothing of what the MSP pays is among them."""
    found = []
    for name, words in GROUPS.items():
        shown = [
            Assumed(figure.label, _value(figure, reckoned[figure.key], currency),
                    _unit(figure, own=reckoned[figure.key] != figure.first))
            for figure in FIGURES
            if figure.group == name and (with_costs or not figure.secret)
        ]  # fmt: skip
        found.append((words, shown))
    return found


def _unit(figure: Figure, *, own: bool) -> Words:
    if not own:
        return figure.unit
    return f"{figure.unit} · {_('your own figure')}" if figure.unit else _("your own figure")


def _value(figure: Figure, value: Any, currency: str) -> str:
    if figure.kind is Kind.MONEY:
        return values.money(value, currency)
    if figure.kind is Kind.YES:
        return str(_("yes") if value else _("no"))
    return str(value) or "–"
