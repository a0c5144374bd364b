"""What of old books can go: never half of what is settled together, and never what would move a balance."""

from collections import defaultdict
from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as some

from sbc.services.outlived import Key, Paper, outlived

DAY = date(2015, 1, 1)


def entry(number: int, owed: int, *, day: int = 0, account: str = "acme", stays: bool = False) -> Paper:
    return Paper(("entry", number), account, DAY + timedelta(days=day), owed, stays)


def gone(papers: list[Paper], *links: tuple[int, int]) -> list[int]:
    return sorted(pk for _kind, pk in outlived(papers, [(("entry", one), ("entry", other)) for one, other in links]))


def test_an_invoice_and_what_paid_it_go_together() -> None:
    assert gone([entry(1, 119), entry(2, -119), entry(3, 50)], (1, 2)) == [1, 2]


def test_what_a_younger_paper_hangs_on_stays_with_all_that_is_linked() -> None:
    chain = [entry(1, 100), entry(2, -150), entry(3, 50, stays=True)]
    assert gone(chain, (1, 2), (2, 3)) == []
    # The third is not among the old ones at all.
    assert gone(chain[:2], (1, 2), (2, 3)) == []


def test_a_fee_that_nothing_names_goes_with_the_payment_that_is_too_large_by_it() -> None:
    papers = [entry(1, 100), entry(2, -105), entry(3, 5, day=1), entry(4, 70, day=2)]
    assert gone(papers, (1, 2)) == [1, 2, 3]
    other = [*papers[:2], entry(3, 5, account="globex")]
    assert gone(other, (1, 2)) == []


@given(
    some.lists(
        some.tuples(some.integers(-3, 3), some.sampled_from("ab"), some.booleans(), some.integers(0, 5)), max_size=12
    ),
    some.lists(some.tuples(some.integers(0, 12), some.integers(0, 12)), max_size=10),
)
def test_whatever_goes_moves_no_balance_and_parts_no_link(
    facts: list[tuple[int, str, bool, int]], links: list[tuple[int, int]]
) -> None:
    papers = [entry(number, owed, account=account, stays=stays, day=day)
              for number, (owed, account, stays, day) in enumerate(facts)]  # fmt: skip
    # Links never leave an account: the database sees to it.
    of = {paper.key: paper.account for paper in papers}
    keys: list[tuple[Key, Key]] = [(("entry", one), ("entry", other)) for one, other in links]
    own = [(one, other) for one, other in keys if other not in of or one not in of or of[one] == of[other]]

    found = outlived(papers, own)

    moved: dict[object, int] = defaultdict(int)
    for paper in papers:
        if paper.key in found:
            moved[paper.account] += paper.owed
            assert not paper.stays
    assert not any(moved.values())
    assert all((one in found) == (other in found) for one, other in own)
