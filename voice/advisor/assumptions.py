"""The figures that advice rests on: named, with a unit and a first value, to be changed by whoever knows better; pure.

Amounts are micros of the assessment's currency. The first values are assumptions of ours and no quotations; what is a
fact of Microsoft's programme has its source in docs/advisor.md.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

Words = str | Promise
MICROS = 1_000_000


class Kind(StrEnum):
    MONEY = "money"
    WHOLE = "whole"
    PERCENT = "percent"
    YES = "yes"
    COUNTRIES = "countries"


@dataclass(frozen=True, slots=True)
class Figure:
    """One assumption: `cost` ones are the MSP's secret and are left out of what a customer is shown."""

    key: str
    group: str
    label: Words
    unit: Words
    kind: Kind
    first: Any
    secret: bool = False
    most: int = 10**12


GROUPS: dict[str, Words] = {
    "general": _("In general"),
    "direct": _("Direct Routing"),
    "operator": _("Operator Connect"),
    "calling_plan": _("Calling Plans"),
    "mobile": _("Teams Phone Mobile"),
}
_A_MONTH, _EACH = _("a person and month"), _("a minute")
_HOURS, _HOURS_100 = _("hours, once"), _("hours for 100 people, once")
_SUPPORT, _WEEKS = _("hours for 100 people and month"), _("weeks")
# Where Microsoft sells plans with minutes, as far as we know; the list changes: check it.
_PLAN_COUNTRIES = "AT BE CA CH CZ DE DK EE ES FI FR GB HR HU IE IT JP LT LU LV NL NO NZ PL PT RO SE SG SI SK US"


def _money(key: str, group: str, label: Words, unit: Words, first: str, *, secret: bool = False) -> Figure:
    whole, _point, part = first.partition(".")
    micros = int(whole) * MICROS + int(part.ljust(6, "0") or 0)
    return Figure(key, group, label, unit, Kind.MONEY, micros, secret)


def _work(group: str, first: tuple[int, int, int, int]) -> Iterator[Figure]:
    """Yield what a way takes in work and time: once, once for 100 people, each month for 100 people, weeks."""
    figures = (
        ("setup", _("Set-up"), _HOURS),
        ("setup_100", _("Set-up"), _HOURS_100),
        ("support_100", _("Support"), _SUPPORT),
        ("weeks", _("First call after"), _WEEKS),
    )
    for (name, label, unit), value in zip(figures, first, strict=True):
        yield Figure(f"{group}_{name}", group, label, unit, Kind.WHOLE, value, name != "weeks", 10_000)


FIGURES: tuple[Figure, ...] = (
    Figure("months", "general", _("Term that is looked at"), _("months"), Kind.WHOLE, 36, most=120),
    Figure("have_licence", "general", _("People who have a Teams Phone licence"), _("%"), Kind.PERCENT, 60, most=100),
    _money("licence_price", "general", _("Teams Phone licence, price"), _A_MONTH, "9"),
    _money("licence_cost", "general", _("Teams Phone licence, cost"), _A_MONTH, "7.65", secret=True),
    _money("hour_cost", "general", _("Hour of your staff, cost"), _("an hour"), "60", secret=True),
    _money("hour_price", "general", _("Hour of set-up, price"), _("an hour"), "110"),
    Figure("port_weeks", "general", _("Numbers that are ported"), _WEEKS, Kind.WHOLE, 4, most=104),
    Figure("mix_setup", "general", _("A mix: more set-up"), _HOURS, Kind.WHOLE, 6, True, 10_000),
    Figure("mix_support_100", "general", _("A mix: more support"), _SUPPORT, Kind.WHOLE, 1, True, 10_000),
    _money("direct_user_price", "direct", _("Price of a seat"), _A_MONTH, "4.50"),
    _money("direct_user_cost", "direct", _("Platform and controllers, cost"), _A_MONTH, "0.60", secret=True),
    _money("direct_channel_cost", "direct", _("Carrier's channel, cost"), _("a channel and month"), "4", secret=True),
    Figure("direct_users_a_channel", "direct", _("People who share a channel"), _("people"), Kind.WHOLE, 8, True, 1000),
    _money("domestic_price", "direct", _("Domestic calls, price"), _EACH, "0.0120"),
    _money("domestic_cost", "direct", _("Domestic calls, cost"), _EACH, "0.0060", secret=True),
    _money("international_price", "direct", _("International calls, price"), _EACH, "0.0900"),
    _money("international_cost", "direct", _("International calls, cost"), _EACH, "0.0500", secret=True),
    _money("number_price", "direct", _("Phone number, price"), _A_MONTH, "1"),
    _money("number_cost", "direct", _("Phone number, cost"), _A_MONTH, "0.20", secret=True),
    *_work("direct", (8, 4, 2, 2)),
    Figure("operator_in", "operator", _("You are in Microsoft's programme, or have a partner"), "", Kind.YES, False),
    Figure("operator_countries", "operator", _("Countries that you offer it in"), "", Kind.COUNTRIES, "DE GB US"),
    Figure("operator_programme_weeks", "operator", _("Getting into the programme"), _WEEKS, Kind.WHOLE, 39, most=520),
    _money("operator_programme_cost", "operator", _("This customer's share of it"), _("once"), "0", secret=True),
    _money("operator_user_price", "operator", _("Price of a seat"), _A_MONTH, "6"),
    _money("operator_user_cost", "operator", _("Interconnection and platform, cost"), _A_MONTH, "1.60", secret=True),
    *_work("operator", (4, 2, 1, 1)),
    Figure("plan_countries", "calling_plan", _("Countries that have plans"), "", Kind.COUNTRIES, _PLAN_COUNTRIES),
    _money("plan_price", "calling_plan", _("Domestic plan, price"), _A_MONTH, "11"),
    Figure("plan_discount", "calling_plan", _("Your discount as a reseller"), _("%"), Kind.PERCENT, 10, True, 100),
    Figure("plan_minutes", "calling_plan", _("Domestic minutes in it"), _A_MONTH, Kind.WHOLE, 1200, most=10**6),
    _money("plan_over_price", "calling_plan", _("Domestic minutes beyond"), _EACH, "0.0130"),
    _money("plan_international_price", "calling_plan", _("International calls"), _EACH, "0.1100"),
    *_work("calling_plan", (3, 2, 1, 1)),
    Figure("mobile_partner", "mobile", _("You have a mobile operator as a partner"), "", Kind.YES, False),
    Figure("mobile_countries", "mobile", _("Countries that it offers it in"), "", Kind.COUNTRIES, "DE GB"),
    _money("mobile_user_price", "mobile", _("Mobile tariff with Teams, price"), _A_MONTH, "18"),
    _money("mobile_user_cost", "mobile", _("Mobile tariff with Teams, cost"), _A_MONTH, "14.50", secret=True),
    _money("mobile_international_price", "mobile", _("International calls, price"), _EACH, "0.1500"),
    _money("mobile_international_cost", "mobile", _("International calls, cost"), _EACH, "0.0900", secret=True),
    *_work("mobile", (4, 3, 1, 8)),
)  # fmt: skip
BY_KEY: dict[str, Figure] = {figure.key: figure for figure in FIGURES}


class WrongAssumption(ValueError):
    """A value that an assumption cannot have; `key` names it."""

    def __init__(self, key: str, words: Words) -> None:
        super().__init__(words)
        self.key, self.words = key, words


def complete(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return every assumption: those given, checked, and the first values of the others; raises WrongAssumption."""
    for key in values:
        if key not in BY_KEY:
            raise WrongAssumption(str(key)[:40], _("There is no such assumption."))
    given = {key: _checked(BY_KEY[key], value) for key, value in values.items()}
    return {figure.key: given.get(figure.key, figure.first) for figure in FIGURES}


def countries(written: str) -> frozenset[str]:
    """Return the country codes of a list such as `DE, FR GB`."""
    return frozenset(written.upper().replace(",", " ").split())


def _checked(figure: Figure, value: Any) -> Any:
    if figure.kind is Kind.YES:
        if not isinstance(value, bool):
            raise WrongAssumption(figure.key, _("Say yes or no."))
        return value
    if figure.kind is Kind.COUNTRIES:
        if not isinstance(value, str) or len(value) > 1000 or not all(_is_code(code) for code in countries(value)):
            raise WrongAssumption(figure.key, _("Use country codes of two letters, such as DE FR GB."))
        return " ".join(sorted(countries(value)))
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= figure.most:
        raise WrongAssumption(figure.key, _("This is no amount to work with."))
    if figure.key in ("months", "direct_users_a_channel") and value == 0:
        raise WrongAssumption(figure.key, _("This has to be at least 1."))
    return value


def _is_code(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isalpha()
