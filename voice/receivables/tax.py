"""Which tax an invoice bears: pure functions over two parties, a day and the rates in force.

VAT: a service to a business is taxed where the business is (Directive 2006/112/EC, art. 44); a business of another
member state pays the tax itself (art. 196, *reverse charge*). Taxes of the United States stand behind `SalesTaxes`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Protocol

EU = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
REVERSE_CHARGE = "Reverse charge: the recipient owes the VAT, articles 44 and 196 of Directive 2006/112/EC."
OUTSIDE = "Not subject to VAT: the place of supply is {country}, where the recipient is established."


class TaxClass(StrEnum):
    """What is sold, as far as taxes tell it apart."""

    TELECOM = "telecom"
    SERVICE = "service"
    GOODS = "goods"


class NoTaxRule(ValueError):
    """No rate is on record for this country and day: nothing is guessed."""


class VatIdMissing(ValueError):
    """Reverse charge needs the customer's VAT id."""


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate as the tax table has it."""

    country: str
    area: str
    tax: str
    name: str
    per_million: int
    begins: date
    ends: date | None = None
    # What the rate is for; empty is everything that has no rate of its own.
    tax_class: str = ""

    def holds(self, day: date) -> bool:
        return self.begins <= day and (self.ends is None or day < self.ends)


@dataclass(frozen=True, slots=True)
class Place:
    """What matters of a party for its taxes."""

    country: str
    area: str = ""
    vat_id: str = ""
    is_exempt: bool = False
    exemption: str = ""


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a line is taxed: the category of EN 16931, the rate, and what the invoice has to say about it."""

    category: str
    per_million: int
    name: str
    note: str = ""


class SalesTaxes(Protocol):
    """Taxes that depend on where in the country the customer is, as in the United States."""

    def treatment(self, seller: Place, buyer: Place, day: date) -> Treatment: ...


@dataclass(frozen=True, slots=True)
class TableTaxes:
    """The default: one rate for the state, from the table. A service that knows counties takes its place."""

    rates: Sequence[Rate]

    def treatment(self, seller: Place, buyer: Place, day: date) -> Treatment:
        """Return the state's rate; raises NoTaxRule where the table has none."""
        if buyer.country != seller.country:
            return Treatment("O", 0, "VAT", OUTSIDE.format(country=buyer.country))
        found = _one(self.rates, seller.country, "sales", day, area=buyer.area)
        return Treatment("S", found.per_million, found.name)


def treatment(
    seller: Place,
    buyer: Place,
    day: date,
    rates: Sequence[Rate],
    sales: SalesTaxes | None = None,
    *,
    tax_class: str = TaxClass.TELECOM,
) -> Treatment:
    """Return how something sold on that day is taxed; raises NoTaxRule or VatIdMissing rather than guess."""
    if buyer.is_exempt:
        return Treatment("E", 0, "VAT", buyer.exemption)
    if seller.country == "US":
        return (sales or TableTaxes(rates)).treatment(seller, buyer, day)
    if seller.country == buyer.country:
        found = _one(rates, seller.country, "vat", day, tax_class=tax_class)
        return Treatment("S", found.per_million, found.name)
    if seller.country in EU and buyer.country in EU:
        if not buyer.vat_id:
            raise VatIdMissing("Reverse charge needs the customer's VAT id.")
        return Treatment("AE", 0, "VAT", REVERSE_CHARGE)
    return Treatment("O", 0, "VAT", OUTSIDE.format(country=buyer.country))


def _one(
    rates: Iterable[Rate], country: str, tax: str, day: date, area: str = "", tax_class: str = TaxClass.TELECOM
) -> Rate:
    found = [
        rate
        for rate in rates
        if (rate.country, rate.tax) == (country, tax)
        and rate.area in ("", area)
        and rate.tax_class in ("", tax_class)
        and rate.holds(day)
    ]
    if not found:
        raise NoTaxRule(f"No {'VAT' if tax == 'vat' else 'tax'} rate is on record for {country} {area} on {day}.")
    return max(found, key=lambda rate: (rate.area != "", rate.tax_class != "", rate.begins))
