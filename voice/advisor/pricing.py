"""The lines that a way's cost and price are made of: a count, what one costs and asks; pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from voice.advisor.ways import NAMES, Profile, Way
from voice.rating.money import half_up

Words = str | Promise


class People(Protocol):
    """A group as prices look at it."""

    @property
    def country(self) -> str: ...
    @property
    def profile(self) -> Profile: ...
    @property
    def people(self) -> int: ...
    @property
    def domestic(self) -> int: ...
    @property
    def international(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Line:
    """So many of something: in all they cost the MSP and ask of the customer so much, once or each month (micros)."""

    way: Words
    words: Words
    count: int
    unit: Words
    cost: int
    price: int
    once: bool = False


def lines_of(way: Way, groups: Sequence[People], values: Mapping[str, Any]) -> list[Line]:
    """Return what a way is made of for some groups; nothing for nobody."""
    people = sum(group.people for group in groups)
    if not people:
        return []
    own = {Way.DIRECT: _direct, Way.OPERATOR: _operator, Way.CALLING_PLAN: _plan, Way.MOBILE: _mobile}[way]
    lines = [*_licences(way, groups, values), *own(way, groups, people, values), *_work(way, people, values)]
    return [line for line in lines if line.count]


def mix_lines(people: int, values: Mapping[str, Any]) -> list[Line]:
    """Return the work that several ways at a time take on top."""
    hour = values["hour_cost"]
    support = half_up(people * values["mix_support_100"] * hour, 100)
    lines = [
        Line(NAMES[Way.MIX], _("More set-up"), values["mix_setup"], _("hours"), values["mix_setup"] * hour, 0, True),
        Line(NAMES[Way.MIX], _("More support"), people, _("people"), support, 0),
    ]
    return [line for line in lines if line.cost or line.price]


def _licences(way: Way, groups: Iterable[People], values: Mapping[str, Any]) -> Iterable[Line]:
    # A device on a line of its own has no user and no licence.
    people = sum(group.people for group in groups if group.profile is not Profile.DEVICE)
    missing = -(-people * (100 - values["have_licence"]) // 100)
    cost, price = values["licence_cost"] * missing, values["licence_price"] * missing
    yield Line(NAMES[way], _("Teams Phone licences"), missing, _("people"), cost, price)


def _direct(way: Way, groups: Sequence[People], people: int, values: Mapping[str, Any]) -> Iterable[Line]:
    channels = -(-people // values["direct_users_a_channel"])
    yield _each(way, _("Seats"), people, _("people"), values["direct_user_cost"], values["direct_user_price"])
    yield _each(way, _("Carriers' channels"), channels, _("channels"), values["direct_channel_cost"], 0)
    yield from _metered(way, groups, values)


def _operator(way: Way, groups: Sequence[People], people: int, values: Mapping[str, Any]) -> Iterable[Line]:
    yield _each(way, _("Seats"), people, _("people"), values["operator_user_cost"], values["operator_user_price"])
    yield from _metered(way, groups, values)
    if values["operator_programme_cost"]:
        yield Line(NAMES[way], _("Share of the programme"), 1, "", values["operator_programme_cost"], 0, True)


def _metered(way: Way, groups: Sequence[People], values: Mapping[str, Any]) -> Iterable[Line]:
    """Yield calls by the minute and numbers: the same carriers stand behind both ways."""
    people = sum(group.people for group in groups)
    domestic = sum(group.people * group.domestic for group in groups)
    abroad = sum(group.people * group.international for group in groups)
    calls = ((_("Domestic calls"), domestic, "domestic"), (_("International calls"), abroad, "international"))
    for words, minutes, name in calls:
        yield _each(way, words, minutes, _("minutes"), values[f"{name}_cost"], values[f"{name}_price"])
    yield _each(way, _("Phone numbers"), people, _("numbers"), values["number_cost"], values["number_price"])


def _plan(way: Way, groups: Sequence[People], people: int, values: Mapping[str, Any]) -> Iterable[Line]:
    # Minutes are pooled among the people of one country.
    pools: dict[str, list[int]] = {}
    for group in groups:
        pool = pools.setdefault(group.country, [0, 0])
        pool[0] += group.people
        pool[1] += group.people * group.domestic
    beyond = sum(max(0, used - members * values["plan_minutes"]) for members, used in pools.values())
    abroad = sum(group.people * group.international for group in groups)
    for words, count, unit, price in (
        (_("Domestic plans"), people, _("people"), values["plan_price"]),
        (_("Domestic minutes beyond"), beyond, _("minutes"), values["plan_over_price"]),
        (_("International calls"), abroad, _("minutes"), values["plan_international_price"]),
    ):
        cost = half_up(count * price * (100 - values["plan_discount"]), 100)
        yield Line(NAMES[way], words, count, unit, cost, count * price)


def _mobile(way: Way, groups: Sequence[People], people: int, values: Mapping[str, Any]) -> Iterable[Line]:
    abroad = sum(group.people * group.international for group in groups)
    yield _each(way, _("Mobile tariffs"), people, _("people"), values["mobile_user_cost"], values["mobile_user_price"])
    cost, price = values["mobile_international_cost"], values["mobile_international_price"]
    yield _each(way, _("International calls"), abroad, _("minutes"), cost, price)


def _work(way: Way, people: int, values: Mapping[str, Any]) -> Iterable[Line]:
    hundredths = values[f"{way}_setup"] * 100 + values[f"{way}_setup_100"] * people
    cost, price = (half_up(hundredths * values[name], 100) for name in ("hour_cost", "hour_price"))
    yield Line(NAMES[way], _("Set-up"), -(-hundredths // 100), _("hours"), cost, price, True)
    support = half_up(people * values[f"{way}_support_100"] * values["hour_cost"], 100)
    yield Line(NAMES[way], _("Support"), people, _("people"), support, 0)


def _each(way: Way, words: Words, count: int, unit: Words, cost: int, price: int) -> Line:
    return Line(NAMES[way], words, count, unit, count * cost, count * price)
