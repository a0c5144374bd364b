"""The examples of docs/pricing.md §12, run; reading the page is the business of the tests of rating."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest

from voice.plans.allowances import Drawing, Pot, rest_charge
from voice.plans.facts import Agreed, Clause, Phase, Situation
from voice.plans.fees import fees
from voice.plans.pots import pots
from voice.plans.proration import Days, Series, add_months, joined, share, span_of
from voice.plans.terms import Term
from voice.plans.tests.make import BERLIN
from voice.plans.tiers import Tier, discount, missing, tiered
from voice.plans.users import Sat, Users, of_person
from voice.rating.money import read_micros, to_minor
from voice.rating.tests.test_pricing_document import ALL, OF_PLANS, Example, Row, named

JUNE, JULY = date(2026, 6, 1), date(2026, 7, 1)


def day(text):
    return date.fromisoformat(text)


def check_fees(example, row):
    clause = Clause("Fee", "monthly", read_micros(row["Fee"]), per="seat")
    begins, ends = day(row["From"]), day(row["Until"])
    phase = Phase("P", 1, begins, ends, (clause,), Agreed(1, begins))
    situation = Situation(example.options["currency"], BERLIN, [phase], {"seat": Series.always(int(row["Count"]))})
    asked = fees(situation, phase, begins.replace(day=1), add_months(ends.replace(day=1), 1))
    assert sum(item.micros for item in asked) == read_micros(row["Asked"])


def check_users(example, row):
    spans = []
    for written in row["Had a number"].split(", "):
        since, until = (None if text == "now" else moment(text, example) for text in written.split(" to "))
        spans.append(span_of(since, until, ZoneInfo(example.options["zone"])))
    assert asked_for(example, Series.of_spans(joined(spans))) == read_micros(row["Asked"])


def check_channels(example, row):
    limits = [written.split(" from ") for written in row["Limits"].split(", ")]
    begins = [moment(since, example) for _count, since in limits]
    zone = ZoneInfo(example.options["zone"])
    spans = [span_of(since, until, zone) for since, until in zip(begins, [*begins[1:], None], strict=True)]
    series = Series.of_spans(spans, [int(count) for count, _since in limits])
    assert asked_for(example, series) == read_micros(row["Asked"])


def asked_for(example, series):
    clause = Clause("Fee", "monthly", read_micros(example.options["fee"]), per="seat")
    begins = day(example.options["month"])
    phase = Phase("P", 1, begins, None, (clause,), Agreed(1, begins))
    situation = Situation(example.options["currency"], BERLIN, [phase], {"seat": series})
    return sum(item.micros for item in fees(situation, phase, begins, add_months(begins, 1)))


def moment(text, example):
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(example.options["zone"]))


def check_included(example, row):
    drawing = Drawing([Pot("Included", 60 * int(example.options["minutes"]), JUNE, JULY)])
    for each in example.rows:
        billed = int(each["Billed"])
        covered = sum(seconds for _pot, seconds in drawing.draw("Germany", JUNE, billed))
        if each is row:
            parts = [(billed, read_micros(row["Per minute"]))]
            assert covered == int(row["Covered"])
            assert rest_charge(parts, read_micros(row["Fee"]), covered) == read_micros(row["Charge"])
            return


def check_shares(example, row):
    first, of, found = JUNE if row["Of"] == "30" else JULY, int(row["Of"]), []
    for count in map(int, row["Days"].split()):
        last = date.fromordinal(first.toordinal() + count)
        found.append(share(int(row["Minutes"]) * 60, Days(first, last)))
        assert Days(first, last).of == of
        first = last
    assert found == [int(seconds) for seconds in row["Seconds"].split()]


def user_of(name):
    """Return the user that the page names; a person's id is its first letter."""
    return {"one more user": ""}.get(name, name if name.startswith("+") else of_person(ord(name[0])))


def pot_of_users(had):
    rows = [row for row in had.rows if row["Had by"] != "nobody"]
    users = Users(
        Sat(
            row["Number"],
            ord(row["Had by"][0]),
            moment(row["Since"], had),
            None if row["Until"] == "now" else moment(row["Until"], had),
        )
        for row in rows
    )
    clause = Clause("Included", "minutes", minutes=int(had.options["minutes"]), pool="own")
    begins = day(had.options["month"])
    phase = Phase("P", 1, begins, None, (clause,), Agreed(1, begins))
    (pot,) = pots(Situation("EUR", ZoneInfo(had.options["zone"]), [phase], users=users), begins, add_months(begins, 1))
    return users, pot


def check_had(example, row):
    _users, pot = pot_of_users(example)
    user = row["Number"] if row["Had by"] == "nobody" else user_of(row["Had by"])
    assert pot.given(user) == 60 * int(row["Minutes of that user"])


def check_own(example, row):
    had = named("had", example.options["had"])
    users, pot = pot_of_users(had)
    drawing = Drawing([pot])
    for each in example.rows:
        at, shown = moment(each["Dialled"], had), each["Shows"]
        user = "" if shown == "another" else users.at(shown, at)
        covered = sum(seconds for _pot, seconds in drawing.draw("X", at.date(), int(each["Billed"]), user))
        if each is row:
            assert user == user_of(row["Draws from the minutes of"])
            assert covered == int(row["Covered"])
            return


def check_rolled(example, row):
    clause = Clause("Included", "minutes", minutes=int(example.options["minutes"]), roll_over=1)
    start = day(f"{example.rows[0]['Month']}-01")
    phase = Phase("P", 1, start, None, (clause,), Agreed(1, start))
    drawing = Drawing(pots(Situation("EUR", BERLIN, [phase]), start, add_months(start, 6)))

    def left(given, at):
        found = [pot for pot in drawing.pots if pot.begins == given and pot.covers("X", at)]
        return sum(pot.seconds - drawing.drawn.get((pot.allowance, "", pot.begins), 0) for pot in found)

    for each in example.rows:
        month = day(f"{each['Month']}-01")
        older = left(add_months(month, -1), month)
        drawing.draw("X", month, 60 * int(each["Used"]))
        if each is row:
            assert older == 60 * int(row["Of the month before"])
            assert left(month, add_months(month, 1)) == 60 * int(row["Left"])
            return


def check_bundles(example, row):
    found = []
    for written in example.options["pots"].split("; "):
        name, rest = written.split(": ")
        names, _space, minutes = rest.rpartition(" ")
        found.append(Pot(name, 60 * int(minutes), JUNE, JULY, frozenset(filter(None, names.split(", ")))))
    drawing = Drawing(found)
    for each in example.rows:
        drawn = drawing.draw(each["Called"], JUNE, int(each["Billed"]))
        if each is row:
            words = ", ".join(f"{pot.allowance} {seconds}" for pot, seconds in drawn)
            assert (words or "–") == row["Drawn"]
            return


def check_tiers(example, row):
    steps = []
    for written in example.options["tiers"].split(", "):
        limit, price = written.split()
        reached = steps[-1].up_to if steps else 0
        steps.append(Tier(None if limit == "more" else int(limit), read_micros(price)))
        assert steps[-1].up_to is None or steps[-1].up_to > reached
    cost = sum(micros for _tier, _seconds, micros in tiered(60 * int(row["Minutes"]), steps))
    assert cost == read_micros(row["Charge"])


def check_discounts(example, row):
    found = discount(read_micros(row["Lines"]), round(float(row["Percent"]) * 10_000))
    assert to_minor(found, example.options["currency"]) == read_micros(row["Discount"])


def check_commitment(example, row):
    assert missing(read_micros(row["Commitment"]), [read_micros(row["Lines"])]) == read_micros(row["Missing"])


def check_terms(example, row):
    term = Term(day(row["Starts"]), int(row["Term"]), int(row["Goes on by"]), int(row["Notice"]))
    assert term.earliest_end(day(row["Noticed"])) == day(row["Ends"])


CHECKS = {name.removeprefix("check_"): check for name, check in list(globals().items()) if name.startswith("check_")}
CASES = [(example, row) for example in ALL if example.kind in OF_PLANS for row in example.rows]


@pytest.mark.parametrize(("example", "row"), CASES, ids=lambda value: str(value) if isinstance(value, Example) else "")
def test_the_page_and_the_code_agree(example: Example, row: Row) -> None:
    CHECKS[example.kind](example, row)


def test_every_rule_of_plans_has_its_check() -> None:
    assert CHECKS.keys() == OF_PLANS
