"""What a movement may be: the reasons, and when nobody has to look."""

from dataclasses import dataclass
from datetime import date

import pytest

from voice.payments.matching import Books, Known, OpenInvoice, suggest
from voice.receivables.references import creditor_reference

EUR = 1_000_000
DAY = date(2026, 11, 20)
A1 = OpenInvoice(1, 10, "Acme", "2026-00001", "EUR", 119 * EUR, DAY)
A2 = OpenInvoice(2, 10, "Acme", "2026-00002", "EUR", 50 * EUR, DAY)
G1 = OpenInvoice(3, 20, "Globex", "2026-00003", "EUR", 119 * EUR, DAY)
HOME, OTHER = "DE89370400440532013000", "DE75512108001245126199"


@dataclass
class Move:
    amount: int
    text: str = ""
    structured: str = ""
    payer_iban: str = ""
    end_to_end: str = ""
    currency: str = "EUR"
    booked_on: date = DAY


def best(move, *invoices, **books):
    found = suggest(move, Books(invoices or (A1, A2, G1), **books))
    return (found[0].tenant_id, [each.pk for each in found[0].invoices], found[0].sure) if found else None


KNOWN = {HOME: frozenset({10}), OTHER: frozenset({20})}


@pytest.mark.parametrize(
    ("move", "answer"),
    [
        (Move(119 * EUR, structured=creditor_reference("2026-00001")), (10, [1], True)),
        (Move(19 * EUR, structured=creditor_reference("2026-00001")), (10, [1], True)),
        (Move(200 * EUR, structured=creditor_reference("2026-00001")), (10, [1], False)),
        (Move(119 * EUR, text=f"pay {creditor_reference('2026-00001')} thanks"), (10, [1], True)),
        (Move(119 * EUR, text="Rechnung 2026 00001"), (10, [1], True)),
        (Move(169 * EUR, text="2026-00001, 2026-00002"), (10, [1, 2], True)),
        (Move(120 * EUR, text="2026-00001"), (10, [1], False)),
        (Move(119 * EUR, text="12026-000015"), (10, [1], False)),
        (Move(119 * EUR, text="2026-00001 2026-00003"), (10, [1], False)),
        (Move(119 * EUR, text="2026-00001", payer_iban=OTHER), (10, [1], False)),
        (Move(119 * EUR, payer_iban=HOME), (10, [1], True)),
        (Move(169 * EUR, payer_iban=HOME), (10, [1, 2], True)),
        (Move(7 * EUR, payer_iban=HOME), (10, [], False)),
        (Move(50 * EUR), (10, [2], False)),
        (Move(119 * EUR), (10, [1], False)),
        (Move(119 * EUR, currency="USD", text="2026-00001"), None),
        (Move(3 * EUR, text="a gift"), None),
    ],
)
def test_what_came_in(move, answer):
    found = best(move, ibans=KNOWN)
    assert found == answer


def test_a_payment_that_somebody_recorded_by_hand_is_not_booked_twice_by_itself():
    noted = [Known(5, 10, "Acme", "EUR", 119 * EUR, DAY)]
    assert best(Move(119 * EUR, text="2026-00001"), payments=noted) == (10, [1], False)


def test_a_number_of_few_signs_says_nothing():
    assert best(Move(7 * EUR, text="17 licences"), OpenInvoice(1, 10, "Acme", "17", "EUR", 8 * EUR, DAY)) is None


PAID = Known(5, 10, "Acme", "EUR", 119 * EUR, DAY, "E2E-1", HOME, True)
LATER = Known(6, 10, "Acme", "EUR", 119 * EUR, date(2026, 11, 25), "E2E-1", HOME, True)


@pytest.mark.parametrize(
    ("move", "payments", "answer"),
    [
        (Move(-119 * EUR, end_to_end="E2E-1"), [PAID], (5, True)),
        (Move(-119 * EUR, payer_iban=HOME), [PAID], (5, False)),
        (Move(-19 * EUR, end_to_end="E2E-1"), [PAID], (5, False)),
        (Move(-119 * EUR, end_to_end="E2E-1"), [PAID, LATER], (5, True)),
        (Move(-120 * EUR, end_to_end="E2E-1"), [PAID], None),
        (Move(-119 * EUR), [PAID], None),
    ],
)
def test_what_went_out(move, payments, answer):
    found = suggest(move, Books((), payments))
    assert (found[0].payment.pk, found[0].sure) == answer if answer else found == []
