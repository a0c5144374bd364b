"""A customer's account over a period: what it began with, what moved, what it ended with."""

from dataclasses import dataclass
from datetime import date

from tenants.models import Customer
from voice.receivables import selectors
from voice.receivables.selectors import Movement


@dataclass(frozen=True, slots=True)
class Statement:
    """The account in one currency from one day to another, both included; above zero is owed."""

    customer: str
    currency: str
    begins: date
    last: date
    opening: int
    closing: int
    movements: list[Movement]


def statement_of(customer: Customer, currency: str, begins: date, last: date) -> Statement:
    """Return what moved from the first to the last day."""
    opening, closing, inside = 0, 0, list[Movement]()
    for move in selectors.statement(customer, currency):
        if move.entry.booked_on > last:
            break
        if move.entry.booked_on < begins:
            opening = move.balance
        else:
            inside.append(move)
        closing = move.balance
    return Statement(customer.name, currency, begins, last, opening, closing, inside)
