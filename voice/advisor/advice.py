"""What each way to the telephone network would cost, earn and give up for one customer; pure.

Everything is whole micros. Sums over the term are what falls due once and the term's months; nothing is discounted.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from voice.advisor.assumptions import countries
from voice.advisor.pricing import Line, lines_of, mix_lines
from voice.advisor.ways import ALWAYS, CANNOT, SERVES, SINGLE, Need, Profile, Way
from voice.rating.money import half_up

Words = str | Promise


class Goal(StrEnum):
    """What the best way is measured by."""

    MARGIN = "margin"
    PRICE = "price"
    SPEED = "speed"


@dataclass(frozen=True, slots=True)
class Group:
    """People, or devices, of one country and profile; minutes are those of one of them in a month."""

    country: str
    profile: Profile
    people: int
    domestic: int
    international: int


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked: for whom, with which needs, by when (weeks from now), measured by what."""

    groups: Sequence[Group]
    needs: frozenset[Need] = frozenset()
    weeks: int | None = None
    goal: Goal = Goal.MARGIN

    @property
    def people(self) -> int:
        return sum(group.people for group in self.groups)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a way does not fit, or what it gives up; `about` says for whom where that is not everybody."""

    words: Words
    about: str = ""


@dataclass(slots=True)
class Option:
    """One way, reckoned through; `ways` has the way of each group, in their order."""

    way: Way
    months: int
    people: int
    weeks: int
    ways: list[Way]
    lines: list[Line] = field(default_factory=list)
    stops: list[Reason] = field(default_factory=list)
    given_up: list[Reason] = field(default_factory=list)

    @property
    def fits(self) -> bool:
        return not self.stops

    @property
    def price_once(self) -> int:
        return sum(line.price for line in self.lines if line.once)

    @property
    def price_monthly(self) -> int:
        return sum(line.price for line in self.lines if not line.once)

    @property
    def cost_once(self) -> int:
        return sum(line.cost for line in self.lines if line.once)

    @property
    def cost_monthly(self) -> int:
        return sum(line.cost for line in self.lines if not line.once)

    @property
    def price(self) -> int:
        return self.price_once + self.months * self.price_monthly

    @property
    def cost(self) -> int:
        return self.cost_once + self.months * self.cost_monthly

    @property
    def margin(self) -> int:
        return self.price - self.cost

    @property
    def margin_share(self) -> float | None:
        return self.margin / self.price if self.price else None

    @property
    def price_a_person(self) -> int:
        """Return what one person costs the customer in a month, to the cent."""
        return half_up(self.price_monthly, self.people * 10_000) * 10_000 if self.people else 0

    @property
    def pays_off_after(self) -> int | None:
        """Return the month by whose end the margin has made up for the set-up, None where it never does."""
        once, monthly = self.price_once - self.cost_once, self.price_monthly - self.cost_monthly
        if once >= 0:
            return 0
        return -(once // monthly) if monthly > 0 else None


@dataclass(frozen=True, slots=True)
class Advice:
    """Every way, the best first; `best` is None where none does what is asked."""

    case: Case
    options: Sequence[Option]

    @property
    def best(self) -> Option | None:
        return self.options[0] if self.options and self.options[0].fits else None


def advise(case: Case, values: Mapping[str, Any]) -> Advice:
    """Return all ways for a case under complete assumptions, those that fit first, then by the case's goal."""
    options = [single(way, case, values) for way in SINGLE] + [mixed(case, values)]
    order = {Goal.MARGIN: _by_margin, Goal.PRICE: _by_price, Goal.SPEED: _by_speed}[case.goal]
    return Advice(case, sorted(options, key=lambda option: (not option.fits, len(option.stops), order(option))))


def single(way: Way, case: Case, values: Mapping[str, Any]) -> Option:
    """Return one way for everybody."""
    option = Option(way, values["months"], case.people, weeks_of(way, values), [way] * len(case.groups))
    option.lines = lines_of(way, case.groups, values)
    option.stops = [
        *_demands(way, case, values),
        *(reason for group in case.groups if (reason := _no_service(way, group, values))),
    ]
    option.given_up = _losses(way, case)
    return _timed(option, case)


def mixed(case: Case, values: Mapping[str, Any]) -> Option:
    """Return the way of each group that suits it best, with what two worlds take in work."""
    ways: list[Way | None] = [_best_of(group, case, values) for group in case.groups]
    used = [way for way in SINGLE if way in ways]
    option = Option(Way.MIX, values["months"], case.people, 0, [way or Way.DIRECT for way in ways])
    if None in ways:
        lonely = case.groups[ways.index(None)]
        option.stops.append(Reason(_("No way serves this group as asked."), f"{lonely.country}, {lonely.profile}"))
        return option
    if len(used) < 2:
        option.stops.append(Reason(_("One way suits every group best: a mix adds nothing.")))
        option.lines = lines_of(used[0], case.groups, values) if used else []
        return option
    for way in used:
        mine = [group for group, theirs in zip(case.groups, ways, strict=True) if theirs is way]
        option.lines += lines_of(way, mine, values)
        option.given_up += _losses(way, Case(mine, case.needs))
    option.lines += mix_lines(case.people, values)
    option.weeks = max(weeks_of(way, values) for way in used)
    option.given_up.append(Reason(_("Two worlds to support: two ways to port, to look for faults and to bill.")))
    return _timed(option, case)


def weeks_of(way: Way, values: Mapping[str, Any]) -> int:
    """Return after how many weeks the first call is possible, with new numbers."""
    weeks = int(values[f"{way}_weeks"])
    if way is Way.OPERATOR and not values["operator_in"]:
        weeks += int(values["operator_programme_weeks"])
    return weeks


def _timed(option: Option, case: Case) -> Option:
    if case.weeks is not None and option.weeks > case.weeks:
        words = _("The first call comes after %(weeks)s weeks; %(wanted)s are wanted.")
        option.stops.append(Reason(words % {"weeks": option.weeks, "wanted": case.weeks}))
    return option


def _demands(way: Way, case: Case, values: Mapping[str, Any]) -> Iterable[Reason]:
    """Yield what the customer asks for that the way cannot do, and what the MSP would need and has not."""
    for need in sorted(case.needs):
        if need in CANNOT[way]:
            yield Reason(CANNOT[way][need])
    if way is Way.MOBILE and not values["mobile_partner"]:
        yield Reason(_("You have no mobile operator as a partner."))


def _no_service(way: Way, group: Group, values: Mapping[str, Any]) -> Reason | None:
    about = f"{group.country}, {group.people}"
    if group.profile not in SERVES[way]:
        return Reason(_("Devices need a line of their own over a session border controller."), about)
    offered = {
        Way.OPERATOR: "operator_countries", Way.CALLING_PLAN: "plan_countries", Way.MOBILE: "mobile_countries",
    }.get(way)  # fmt: skip
    if offered and group.country not in countries(values[offered]):
        return Reason(_("Not offered in this country."), about)
    return None


def _best_of(group: Group, case: Case, values: Mapping[str, Any]) -> Way | None:
    """Return the way that suits a group best, None where none serves it as the customer asks."""
    alone = Case([group], case.needs, case.weeks, case.goal)
    fitting = [option for way in SINGLE if (option := single(way, alone, values)).fits]
    # Whose mobile number is to be the Teams number gets just that where it can be had.
    if group.profile is Profile.MOBILE and any(option.way is Way.MOBILE for option in fitting):
        return Way.MOBILE
    order = {Goal.MARGIN: _monthly_margin, Goal.PRICE: _monthly_price, Goal.SPEED: _by_speed}[case.goal]
    return min(fitting, key=order).way if fitting else None


def _losses(way: Way, case: Case) -> list[Reason]:
    found = [Reason(words) for words in ALWAYS[way]]
    if way is not Way.MOBILE and any(group.profile is Profile.MOBILE for group in case.groups):
        found.append(Reason(_("Mobile numbers stay outside Teams: calls to them do not ring there.")))
    if way is Way.DIRECT and Need.CERTIFIED in case.needs:
        found.append(Reason(_("A certified controller has to stand in front: buy it, or rent it.")))
    return found


# A monthly figure decides for a group: set-up work is shared by all groups that go the same way.
def _monthly_margin(option: Option) -> tuple[int, int]:
    return option.cost_monthly - option.price_monthly, option.weeks


def _monthly_price(option: Option) -> tuple[int, int]:
    return option.price_monthly, option.weeks


def _by_margin(option: Option) -> tuple[int, int]:
    return -option.margin, option.weeks


def _by_price(option: Option) -> tuple[int, int]:
    return option.price, option.weeks


def _by_speed(option: Option) -> tuple[int, int]:
    return option.weeks, -option.margin
