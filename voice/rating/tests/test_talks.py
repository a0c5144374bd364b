"""A call as pricing sees it: whose it is, over which trunks, and by which numbers."""

import uuid
from typing import Any

import pytest

from voice.calls.stored import Stored
from voice.rating.decks import Deck, Rate
from voice.rating.loading import LoadedDeck
from voice.rating.pricing import Outcome
from voice.rating.talks import Talk, bought, digits, first_digits, sold, talks_of_record, trunk_of, trunks_of

RATES = [
    Rate(1, "49", "Germany", 60_000),
    Rate(2, "49", "Germany, in", 30_000, direction="in"),
    Rate(3, "49", "Inside", 10_000, direction="internal"),
]
DECK = LoadedDeck(7, Deck("EUR", RATES, free=()))


def talks(peer_msp: int | None = None, **changes: Any) -> list[Talk]:
    record = {
        "id": str(uuid.uuid4()), "tenant": 1, "peer": 0, "direction": "out", "caller": "+4930100", "caller_sent": "",
        "called": "+4930555123", "invited": 1_000, "answered": 5_000, "ended": 65_000, "end_unknown": False,
        "ingress": "teams", "egress": "g5",
    }  # fmt: skip
    return list(talks_of_record(Stored(record | changes, 3, peer_msp)))


def test_a_call_costs_on_the_trunks_that_carried_it() -> None:
    [out], [came], [through] = talks(), talks(ingress="g4", egress="teams"), talks(ingress="g4", egress="g5")

    assert list(trunks_of(out)) == [(5, "out")]
    assert list(trunks_of(came)) == [(4, "in")]
    assert list(trunks_of(through)) == [(4, "in"), (5, "out")]
    assert list(trunks_of(talks(answered=None)[0])) == []
    assert (bought(out, "out", DECK).rate, bought(out, "in", DECK).rate) == (1, 2)


def test_whoever_is_called_from_inside_pays_nothing_even_where_inside_has_a_price() -> None:
    caller, called = talks(4, direction="internal", peer=2, egress="teams")

    assert (sold(caller, DECK).outcome, sold(caller, DECK).micros) == (Outcome.RATED, 10_000)
    assert (sold(called, DECK).outcome, sold(called, DECK).micros) == (Outcome.FREE, 0)
    assert (caller.tenant, caller.msp, called.tenant, called.msp) == (1, 3, 2, 4)
    assert caller.counts and called.counts


def test_both_ends_inside_one_customer_count_once() -> None:
    assert [talk.counts for talk in talks(3, direction="internal", peer=1)] == [True, False]


def test_the_number_that_was_shown_is_the_caller() -> None:
    assert [talks(caller_sent="+4989")[0].caller, talks()[0].caller, talks(caller="anonymous")[0].caller] == [
        "4989", "4930100", "",
    ]  # fmt: skip


def test_what_nobody_answered_counts_where_it_wanted_to_go() -> None:
    priced = sold(talks(answered=None)[0], DECK)

    assert (priced.outcome, priced.destination, priced.micros) == (Outcome.UNANSWERED, "Germany", 0)


def test_an_end_that_is_not_known_is_no_end() -> None:
    assert sold(talks(end_unknown=True, ended=None)[0], DECK).outcome is Outcome.NO_END
    assert sold(talks(end_unknown=True)[0], DECK).outcome is Outcome.NO_END


@pytest.mark.parametrize(("said", "number"), [("+4930", "4930"), ("911", ""), ("", ""), ("anonymous", ""), ("+", "")])
def test_only_international_numbers_have_digits(said: str, number: str) -> None:
    assert digits(said) == number


@pytest.mark.parametrize(("called", "shown"), [("33140000000", "33140"), ("3314000", "3314"), ("112", ""), ("", "")])
def test_what_lacks_a_rate_is_told_without_the_last_digits(called: str, shown: str) -> None:
    assert first_digits(called) == shown


@pytest.mark.parametrize(
    ("gateway", "trunk"), [("g12", 12), ("teams", None), ("", None), ("g", None), ("gx", None), ("g" + "9" * 30, None)]
)
def test_nodes_name_trunks_by_their_ids(gateway: str, trunk: int | None) -> None:
    assert trunk_of(gateway) == trunk
