"""Every kind of line of a plan says how it comes to its amount, also those that have no calls of their own."""

from types import SimpleNamespace

import pytest

from voice.receivables.explaining import Figures, steps_of

EUR = 1_000_000
MONTH = {"first": "2026-10-01", "ends": "2026-11-01", "days": 31, "of": 31}
LINES = [
    ({"rule": "monthly", "each": 6 * EUR, "count": 4, **MONTH}, ["4 × €6.00 a month."]),
    (
        {"rule": "monthly", "each": 6 * EUR, "count": 4, **MONTH, "first": "2026-10-16", "days": 16},
        ["4 × €6.00 a month.", "For 16 of the month's 31 days, from 16 Oct 2026 up to 1 Nov 2026: that share of it."],
    ),
    ({"rule": "once", "each": 50 * EUR, "count": 2, "on": ["2026-10-01"]}, ["2 × €50.00, once."]),
    ({"rule": "call", "each": 20_000, "count": 1}, ["1 call × €0.02."]),
    ({"rule": "call", "each": 20_000, "count": 412}, ["412 calls × €0.02."]),
    (
        {"rule": "tiers", "seconds": 60_030, "per_minute": 15_000, "destinations": ["Germany", "United Kingdom"]},
        [
            "1,000.5 minutes × €0.015 a minute.",
            "All minutes of the month to Germany, United Kingdom count together; their calls have lines of their own.",
        ],
    ),
    ({"rule": "minutes", "given": 0, "used": 9_000, "left": 0, "users": 2, "empty": 1},
     ["150 minutes were used by 2 users, each of minutes that nobody shares.",
      "1 user has none left at the month's end.",
      "A call draws from the minutes of whoever had the number when it was dialled."]),
    ({"rule": "minutes", "given": 12_000, "used": 9_000, "left": 3_000},
     ["150 minutes were used, 50 are left at the month's end."]),
    ({"rule": "discount", "on": "all", "net": 75 * EUR, "per_million": 125_000},
     ["12.5 % of €75.00, the lines of fees and calls together."]),
    ({"rule": "discount", "on": "fees", "net": 75 * EUR, "per_million": 100_000},
     ["10 % of €75.00, the lines of fees together."]),
    ({"rule": "commitment", "committed": 100 * EUR, "lines": 80_010_000},
     ["€100.00 are agreed at least; the lines that count towards it come to €80.01."]),
]  # fmt: skip


@pytest.mark.parametrize(("basis", "words"), LINES)
def test_a_line_of_a_plan_says_how_it_comes_to_its_amount(basis, words):
    line = SimpleNamespace(corrects=None, basis=basis, exact=EUR, net=EUR, per_million=0)

    assert steps_of(line, "EUR", Figures()) == [*words, "Together €1.00, net."]


def test_a_line_of_a_credit_note_says_of_what_it_takes_back_how_much():
    basis = {"rule": "monthly", "each": 49 * EUR, "count": 1, **MONTH}
    line = SimpleNamespace(corrects=3, basis=basis, exact=24_500_000, net=24_500_000, per_million=190_000)

    assert steps_of(line, "EUR", Figures()) == [
        "1 × €49.00 a month.",
        "Of line 3 of the invoice, €24.50 are taken back, net.",
        "19 % tax goes back with it.",
    ]


def test_a_line_of_several_parts_says_each():
    parts = [{"rule": "monthly", "each": 6 * EUR, "count": count, **MONTH} for count in (1, 2)]
    line = SimpleNamespace(corrects=None, basis={"parts": parts}, exact=18 * EUR, net=18 * EUR, per_million=0)

    assert steps_of(line, "EUR", Figures())[:2] == ["1 × €6.00 a month.", "2 × €6.00 a month."]
