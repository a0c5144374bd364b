"""Which taxes something sold bears: pure functions over two parties, a day and the rules on record.

VAT is decided here, by the place of supply of Directive 2006/112/EC; taxes of the United States stand behind
`TaxEngine`. The rules in prose are in docs/pricing.md §19.
"""

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Protocol

from voice.receivables.phrases import say

EU = frozenset({
    "AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU", "IE", "IT", "LT", "LU", "LV",
    "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK",
})  # fmt: skip
# Parts of these countries that have VAT rules of their own or none, by how their postcodes begin: the Canary Islands,
# Ceuta and Melilla; overseas departments; Büsingen and Helgoland; Livigno and Campione; Åland; Madeira and the Azores;
# Jungholz and Mittelberg; Mount Athos.
TERRITORIES = {
    "ES": ("35", "38", "51", "52"), "FR": ("971", "972", "973", "974", "976"), "DE": ("78266", "27498"),
    "IT": ("23041", "22061"), "FI": ("22",), "PT": ("9",), "AT": ("6691", "6991", "6992", "6993"), "GR": ("63086",),
}  # fmt: skip
# Where a consumer's calls are taxed and a seller from abroad has to register, from the first sale or nearly so.
REGISTERS_FOREIGN_SELLERS = frozenset({"GB", "CH", "NO"})
# Where a company that is registered charges businesses, too: elsewhere they owe the VAT themselves as long as it has no
# establishment there (art. 196; Value Added Tax Act 1994, s. 8; against art. 45 MWSTG and § 3-30 mval).
REGISTERED_CHARGES_BUSINESSES = frozenset({"CH", "NO"})
WHOLE = 1_000_000


class TaxClass(StrEnum):
    """What is sold, as far as taxes tell it apart."""

    TELECOM = "telecom"
    SERVICE = "service"
    GOODS = "goods"


class NoTaxRule(ValueError):
    """No rule is on record for this place and day: nothing is guessed."""


class NotRegistered(NoTaxRule):
    """The tax is due in a country where the company has to be registered, and is not on record as such."""


class VatIdMissing(ValueError):
    """Reverse charge needs the customer's VAT id."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the tax table: the latest one of its kind that has begun is the one that holds.

    Empty places and classes stand for all. `share` is the part of a line that is taxed, in millionths; `fixed` is asked
    for each telephone number, in micros of `currency`.
    """

    country: str
    tax: str
    name: str
    per_million: int
    begins: date
    ends: date | None = None
    area: str = ""
    county: str = ""
    city: str = ""
    tax_class: str = ""
    share: int = WHOLE
    fixed: int = 0
    currency: str = ""
    # An MSP's own rule takes the place of the one that everybody has.
    is_own: bool = False

    def holds(self, day: date) -> bool:
        return self.begins <= day and (self.ends is None or day < self.ends)

    def covers(self, place: "Place", tax_class: str) -> bool:
        """Tell whether the rule is about what is sold there."""
        here = ((self.area, place.area), (self.county, place.county), (self.city, place.city))
        return (
            self.country == place.country
            and self.tax_class in ("", tax_class)
            and all(wanted in ("", found) or wanted.casefold() == found.casefold() for wanted, found in here)
        )


@dataclass(frozen=True, slots=True)
class Exemption:
    """Why a customer does not bear a tax, for as long as its certificate holds; a resale is taxed when it is resold."""

    ground: str
    tax: str = ""
    area: str = ""
    is_resale: bool = False
    begins: date = date.min
    ends: date | None = None

    def frees(self, tax: str, area: str, day: date) -> bool:
        return (
            self.tax in ("", tax)
            and self.area in ("", area)
            and self.begins <= day
            and (self.ends is None or day < self.ends)
        )


@dataclass(frozen=True, slots=True)
class Registration:
    """That a company is registered for VAT in another country, and from when to when."""

    country: str
    vat_id: str
    begins: date = date.min
    ends: date | None = None
    is_established: bool = False

    def holds(self, country: str, day: date) -> bool:
        return self.country == country and self.begins <= day and (self.ends is None or day < self.ends)


@dataclass(frozen=True, slots=True)
class Place:
    """What matters of a party for its taxes."""

    country: str
    area: str = ""
    county: str = ""
    city: str = ""
    postcode: str = ""
    vat_id: str = ""
    is_business: bool = True
    # Of a seller: it declares sales to consumers of other member states in the one-stop shop.
    is_in_oss: bool = False
    # Of a seller: in which other countries it is registered.
    registrations: tuple[Registration, ...] = ()
    exemptions: tuple[Exemption, ...] = ()
    language: str = "en"

    def exemption(self, tax: str, day: date, *, resale: bool | None = None) -> Exemption | None:
        """Return what frees the party of a tax on a day."""
        found = (each for each in self.exemptions if each.frees(tax, self.area, day))
        return next((each for each in found if resale is None or each.is_resale == resale), None)


@dataclass(frozen=True, slots=True)
class Levy:
    """A tax or fee beside others on the same lines: so much of their sum, or so much for each of some numbers."""

    name: str
    per_million: int = 0
    share: int = WHOLE
    fixed: int = 0
    units: int = 0


@dataclass(frozen=True, slots=True)
class Treatment:
    """How a line is taxed: the category of EN 16931, the rate, and what the invoice has to say about it.

    `levies` are the taxes of countries where a line bears several; EN 16931 has no form for them. `vat_id` is the
    seller's in another country, where it charges that country's VAT.
    """

    category: str
    per_million: int
    name: str
    note: str = ""
    levies: tuple[Levy, ...] = ()
    vat_id: str = ""


class TaxEngine(Protocol):
    """Taxes that depend on where in the country the customer is, as in the United States."""

    def levies(self, buyer: Place, day: date, tax_class: str, lines: int) -> Sequence[Levy]: ...


@dataclass(frozen=True, slots=True)
class TableTaxes:
    """The default: every rule of the table that covers the customer's place. A service may know it by the street."""

    rules: Sequence[Rule]
    currency: str = "USD"

    def levies(self, buyer: Place, day: date, tax_class: str, lines: int) -> Sequence[Levy]:
        """Return the taxes and fees of a place.

        Raises NoTaxRule where the table knows nothing of its state, or where one has ended and nothing follows it.
        """
        found = [rule for rule in self.rules if rule.tax != "vat" and rule.covers(buyer, tax_class)]
        if not any(rule.area for rule in found if rule.holds(day)):
            where = f"{buyer.country} {buyer.area or 'without a state'}"
            raise NoTaxRule(f"No taxes on {tax_class} are on record for {where} on {day}.")
        held: dict[tuple[str, ...], Rule] = {}
        for rule in found:
            key = _kind(rule)
            if rule.holds(day) and (key not in held or _rank(rule) > _rank(held[key])):
                held[key] = rule
        self._refuse_ended(found, set(held), day)
        asked = [
            rule
            for rule in held.values()
            # What is asked for each number is asked of a document that bills some.
            if (rule.per_million or (rule.fixed and lines)) and not buyer.exemption(rule.tax, day)
        ]
        return [self._levy(rule, lines) for rule in asked]

    def _refuse_ended(self, found: Sequence[Rule], held: Set[tuple[str, ...]], day: date) -> None:
        # A factor of last quarter says nothing of this one, and neither does its silence.
        over = [(rule.ends, rule.name) for rule in found if rule.ends and rule.ends <= day and _kind(rule) not in held]
        if over:
            ended, name = max(over)
            raise NoTaxRule(f"{name} ended on {ended}, and what holds since, or a rate of 0, is missing.")

    def _levy(self, rule: Rule, lines: int) -> Levy:
        if rule.fixed and rule.currency != self.currency:
            raise NoTaxRule(f"{rule.name} is an amount in {rule.currency}: the invoice is in {self.currency}.")
        return Levy(rule.name, rule.per_million, rule.share, rule.fixed, lines if rule.fixed else 0)


def _kind(rule: Rule) -> tuple[str, ...]:
    return rule.tax, rule.area, rule.county, rule.city, rule.name


def _rank(rule: Rule) -> tuple[bool, bool, bool, date]:
    return rule.is_own, rule.area != "", rule.tax_class != "", rule.begins


def treatment(
    seller: Place,
    buyer: Place,
    day: date,
    rules: Sequence[Rule],
    *,
    tax_class: str = TaxClass.TELECOM,
    engine: TaxEngine | None = None,
    lines: int = 0,
) -> Treatment:
    """Return how something sold on a day is taxed; raises NoTaxRule or VatIdMissing rather than guess.

    `lines` is how many telephone numbers a document bills, for fees that are asked for each.
    """
    registration = _registration(seller, buyer, day, tax_class)
    if seller.country == "US" and registration is None:
        return _american(buyer, day, tax_class, engine or TableTaxes(rules), lines)
    _refuse_territory(buyer)
    exemption = buyer.exemption("vat", day, resale=False)
    if exemption:
        return Treatment("E", 0, "VAT", exemption.ground)
    if seller.country == buyer.country:
        return _at_home(buyer, day, rules, tax_class)
    if registration:
        return replace(_at_home(buyer, day, rules, tax_class), vat_id=registration.vat_id)
    if buyer.is_business:
        return _business_abroad(seller, buyer, tax_class)
    return _consumer_abroad(seller, buyer, day, rules, tax_class)


def _american(buyer: Place, day: date, tax_class: str, engine: TaxEngine, lines: int) -> Treatment:
    if buyer.country != "US":
        return Treatment("O", 0, "VAT", say(buyer.language, "outside", country=buyer.country))
    levies = tuple(engine.levies(buyer, day, tax_class, lines))
    grounds = dict.fromkeys(each.ground for each in buyer.exemptions if each.frees(each.tax, buyer.area, day))
    return Treatment("O", 0, "VAT", "; ".join(grounds), levies)


def _registration(seller: Place, buyer: Place, day: date, tax_class: str) -> Registration | None:
    """Return the registration under which a sale is taxed where the customer is; None where it is not."""
    found = next((each for each in seller.registrations if each.holds(buyer.country, day)), None)
    if found is None or found.is_established:
        return found
    if buyer.is_business:
        # Goods that are sent there are an export, which the customer takes through the customs.
        charges = buyer.country in REGISTERED_CHARGES_BUSINESSES and tax_class != TaxClass.GOODS
    else:
        # Other services are taxed where the seller is (art. 45), and the one-stop shop declares for the whole EU.
        charges = tax_class != TaxClass.SERVICE and not (seller.is_in_oss and buyer.country in EU)
    return found if charges else None


def _refuse_territory(buyer: Place) -> None:
    if buyer.postcode.replace(" ", "").startswith(TERRITORIES.get(buyer.country, ("-",))):
        raise NoTaxRule(f"{buyer.postcode} is in a part of {buyer.country} with VAT rules of its own, not on record.")


def _at_home(buyer: Place, day: date, rules: Sequence[Rule], tax_class: str) -> Treatment:
    resells = buyer.exemption("vat", day, resale=True)
    if resells and _found(rules, buyer, "resale", day, tax_class):
        if not buyer.vat_id:
            raise VatIdMissing("Reverse charge needs the customer's VAT id.")
        return Treatment("AE", 0, "VAT", say(buyer.language, "reverse_charge_at_home", ground=resells.ground))
    return _standard(rules, buyer, day, tax_class)


def _business_abroad(seller: Place, buyer: Place, tax_class: str) -> Treatment:
    goods = tax_class == TaxClass.GOODS
    if seller.country in EU and buyer.country in EU:
        if not buyer.vat_id:
            raise VatIdMissing("Reverse charge needs the customer's VAT id.")
        return Treatment("K" if goods else "AE", 0, "VAT", say(buyer.language, "intra" if goods else "reverse_charge"))
    if goods:
        return Treatment("G", 0, "VAT", say(buyer.language, "export"))
    note = "outside_acquisition" if buyer.country in REGISTERS_FOREIGN_SELLERS | EU else "outside"
    return Treatment("O", 0, "VAT", say(buyer.language, note, country=buyer.country))


def _consumer_abroad(seller: Place, buyer: Place, day: date, rules: Sequence[Rule], tax_class: str) -> Treatment:
    # Calls are taxed where the consumer is (art. 58), goods where they arrive (art. 33), other services where the
    # seller is (art. 45).
    if tax_class == TaxClass.SERVICE:
        return _standard(rules, seller, day, tax_class)
    if buyer.country in EU:
        if seller.is_in_oss:
            return _standard(rules, buyer, day, tax_class)
        if seller.country in EU:
            # Below the threshold of art. 59c, and until the seller chooses otherwise.
            return _standard(rules, seller, day, tax_class)
        raise NotRegistered(
            f"A consumer's VAT is due in {buyer.country}: the company has to be in the one-stop shop, or registered."
        )
    if tax_class == TaxClass.GOODS:
        return Treatment("G", 0, "VAT", say(buyer.language, "export"))
    if buyer.country in REGISTERS_FOREIGN_SELLERS:
        raise NotRegistered(f"A consumer's VAT is due in {buyer.country}, where the company has to be registered.")
    return Treatment("O", 0, "VAT", say(buyer.language, "outside", country=buyer.country))


def _standard(rules: Sequence[Rule], place: Place, day: date, tax_class: str) -> Treatment:
    rule = _found(rules, place, "vat", day, tax_class)
    if rule is None:
        raise NoTaxRule(f"No VAT rate is on record for {place.country} on {day}.")
    return Treatment("S", rule.per_million, rule.name)


def _found(rules: Iterable[Rule], place: Place, tax: str, day: date, tax_class: str) -> Rule | None:
    found = [rule for rule in rules if rule.tax == tax and rule.covers(place, tax_class) and rule.holds(day)]
    return max(found, key=_rank, default=None)
