"""What a plan makes of calls: minutes that it includes, prices by volume and per call. Pure (docs/pricing.md §12)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date

from voice.plans import words
from voice.plans.allowances import Drawing, Key, Pot, left_of, left_of_users
from voice.plans.facts import CALL, COMMITMENT, DISCOUNT, MINUTES, TIERS, Clause, Phase, Situation
from voice.plans.fees import basis_of
from voice.plans.items import USAGE, AllowanceState, CallCover, CallToBill, PlanItem, UsageSum, usage_item
from voice.plans.tiers import tiered
from voice.rating.decks import Direction

OUT = Direction.OUT.value
# Says what is left to pay of a call whose first seconds are covered, and whose minutes a call draws from.
Rest = Callable[[CallToBill, int], int]
UserOf = Callable[[CallToBill], str]
Place = tuple[str, str, str]


@dataclass(slots=True)
class CallsResult:
    """The items of calls with the phase that asks for each, None for those of the deck; covers; what was drawn."""

    items: list[tuple[Phase | None, PlanItem]] = field(default_factory=list)
    covers: list[CallCover] = field(default_factory=list)
    draws: list[tuple[str, str, date, int]] = field(default_factory=list)
    allowances: list[AllowanceState] = field(default_factory=list)
    # What the calls of each phase cost by their deck, less what is covered: by its place among the phases.
    by_phase: dict[int, int] = field(default_factory=dict)


def needs_calls(situation: Situation, begins: date, ends: date) -> bool:
    """Tell whether sums are not enough: where calls draw or rise in tiers, or have to be told apart by their days."""
    met = [phase for phase in situation.phases if phase.meets(begins, ends)]
    if any(phase.of(MINUTES, TIERS) for phase in met):
        return True
    apart = len(met) > 1 or (met and not is_whole(met[0], begins, ends))
    return bool(apart) and any(phase.of(CALL, DISCOUNT, COMMITMENT) for phase in met)


def is_whole(phase: Phase, begins: date, ends: date) -> bool:
    """Tell whether a phase holds on all days of a period."""
    return phase.begins <= begins and (phase.ends is None or phase.ends >= ends)


def from_sums(situation: Situation, begins: date, ends: date, usage: Sequence[UsageSum]) -> CallsResult:
    """Return what calls cost where their sums are enough."""
    result = CallsResult()
    for each in usage:
        result.items.append((None, usage_item(each, situation.currency)))
    for place, phase in enumerate(situation.phases):
        if phase.meets(begins, ends):
            result.by_phase[place] = sum(each.micros for each in usage if each.currency == situation.currency)
            for clause in phase.of(CALL):
                count = sum(each.calls for each in usage if each.direction == OUT and clause.reaches(each.destination))
                result.items += [(phase, item) for item in _per_call(phase, clause, count)]
    return result


class CallsReader:
    """Reads the calls of a period one by one, in the order of their answer."""

    def __init__(self, situation: Situation, pots: Sequence[Pot], rest: Rest, user_of: UserOf, begins: date) -> None:
        self.situation, self.pots, self.rest, self.user_of, self.begins = situation, pots, rest, user_of, begins
        self.drawing = Drawing(pots, dict(situation.drawn))
        self.result = CallsResult()
        self.off: dict[Place, list[int]] = {}
        self.volumes: dict[tuple[int, str, date], int] = {}
        self.calls: dict[tuple[int, str], int] = {}
        self._places: dict[date, int | None] = {}
        # Asked for each call: found once.
        self._tiers = [phase.of(TIERS) for phase in situation.phases]
        self._priced = [phase.of(CALL) for phase in situation.phases]

    def go_before(self, calls: Iterable[CallToBill]) -> None:
        """Let calls draw that are on earlier bills, where nobody noted what they drew."""
        for call in calls:
            if call.direction == OUT and call.micros > 0 and call.currency == self.situation.currency:
                self.drawing.draw(call.destination, self._day(call), call.billed, self.user_of(call))

    def read(self, calls: Iterable[CallToBill]) -> None:
        """Take the calls of the bill; those that cost nothing draw nothing."""
        before = dict(self.drawing.drawn)
        for call in calls:
            day = self._day(call)
            place = self._place(day)
            left = call.micros
            if call.direction == OUT:
                if call.micros > 0 and call.currency == self.situation.currency:
                    left = self._covered(call, day, place)
                if place is not None:
                    for clause in self._priced[place]:
                        if clause.reaches(call.destination):
                            key = (place, clause.name)
                            self.calls[key] = self.calls.get(key, 0) + 1
            if place is not None and call.currency == self.situation.currency:
                self.result.by_phase[place] = self.result.by_phase.get(place, 0) + left
        self.result.draws = _differences(before, self.drawing.drawn)

    def _covered(self, call: CallToBill, day: date, place: int | None) -> int:
        """Note what bears the call, and return what is left of its charge."""
        taken = self.drawing.draw(call.destination, day, call.billed, self.user_of(call))
        names, covered = [pot.allowance for pot, _seconds in taken], sum(seconds for _pot, seconds in taken)
        left = call.micros
        if covered:
            left = 0 if covered >= call.billed else self.rest(call, covered)
        if place is not None and covered < call.billed:
            clause = next((each for each in self._tiers[place] if each.reaches(call.destination)), None)
            if clause is not None:
                # A late call counts with the first month of the bill that it is on.
                key = (place, clause.name, max(day, self.begins).replace(day=1))
                self.volumes[key] = self.volumes.get(key, 0) + call.billed - covered
                names, covered, left = [*names, clause.name], call.billed, 0
        if names:
            off = call.micros - left
            named = ", ".join(dict.fromkeys(names))
            self.result.covers.append(CallCover(call.invited, call.id, named, covered, off))
            known = self.off.setdefault((call.direction, call.destination, call.currency), [0, 0])
            known[0] += off
            known[1] += covered
        return left

    def finish(self, usage: Sequence[UsageSum], ends: date) -> CallsResult:
        """Return the items of all the calls whose sums these are."""
        result = self.result
        for each in usage:
            off, covered = self.off.get((each.direction, each.destination, each.currency), (0, 0))
            result.items.append((None, usage_item(each, self.situation.currency, off=off, covered=covered)))
        self._note_included(ends)
        for (place, name, month), seconds in self.volumes.items():
            phase = self.situation.phases[place]
            clause = next(each for each in phase.of(TIERS) if each.name == name)
            result.items += [(phase, item) for item in by_volume(phase, clause, month, seconds)]
        for (place, name), count in self.calls.items():
            phase = self.situation.phases[place]
            clause = next(each for each in phase.of(CALL) if each.name == name)
            result.items += [(phase, item) for item in _per_call(phase, clause, count)]
        return result

    def _note_included(self, ends: date) -> None:
        used: dict[str, int] = {}
        for name, _user, _begins, seconds in self.result.draws:
            used[name] = used.get(name, 0) + seconds
        last = date.fromordinal(ends.toordinal() - 1)
        standing = left_of(self.pots, self.drawing.drawn, last)
        of_users = left_of_users(self.pots, self.drawing.drawn, last, [draw[:3] for draw in self.result.draws])
        self.result.allowances = [AllowanceState(name, given, left) for name, (given, left) in standing.items()]
        for name, seconds in used.items():
            given, left = standing.get(name, (0, 0))
            basis = {"rule": MINUTES, "name": name, "given": given, "used": seconds, "left": left}
            if name in of_users:
                basis |= {"users": len(of_users[name]), "empty": of_users[name].count(0)}
            item = PlanItem(USAGE, OUT, included(name, seconds, given), 0, seconds=seconds, basis=basis)
            self.result.items.append((None, item))

    def _day(self, call: CallToBill) -> date:
        return call.answered.astimezone(self.situation.zone).date()

    def _place(self, day: date) -> int | None:
        if day not in self._places:
            found = (place for place, phase in enumerate(self.situation.phases) if phase.holds(day))
            self._places[day] = next(found, None)
        return self._places[day]


def _differences(before: dict[Key, int], after: dict[Key, int]) -> list[tuple[str, str, date, int]]:
    return [(*key, seconds - before.get(key, 0)) for key, seconds in after.items() if seconds > before.get(key, 0)]


def included(name: str, used: int, given: int) -> str:
    """Return the words for what a bill's calls took of included minutes."""
    if not given:
        return words.say("used", name=name, used=_minutes(used))
    return words.say("used_of", name=name, used=_minutes(used), given=_minutes(given))


def _minutes(seconds: int) -> str:
    return words.number(round(seconds / 60, 1))


def by_volume(phase: Phase, clause: Clause, month: date, seconds: int) -> Iterable[PlanItem]:
    """Yield what a month's minutes cost by volume: an item for each tier that they reach."""
    before = 0
    for tier, part, micros in tiered(seconds, clause.tiers):
        text = words.say(
            "tier" if tier.up_to else "tier_open",
            name=clause.name,
            month=words.month(month),
            first=words.number(before + 1),
            last=words.number(tier.up_to) if tier.up_to else "",
        )
        basis = basis_of(phase, clause) | {
            "month": month.isoformat(),
            "seconds": part,
            "per_minute": tier.per_minute,
            "up_to": tier.up_to,
            "destinations": sorted(clause.destinations)[:50],
        }
        yield PlanItem(USAGE, OUT, text, micros, seconds=part, tax_class=clause.tax_class, basis=basis)
        before = tier.up_to or before


def _per_call(phase: Phase, clause: Clause, count: int) -> Iterable[PlanItem]:
    if count:
        key = "per_call_one" if count == 1 else "per_call"
        text = words.say(key, name=clause.name, count=count)
        basis = basis_of(phase, clause) | {"each": clause.amount, "count": count}
        yield PlanItem(USAGE, OUT, text, clause.amount * count, quantity=count, tax_class=clause.tax_class, basis=basis)
