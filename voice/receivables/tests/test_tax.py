"""Which tax applies, to whom, where and since when: the rules by themselves."""

import random
from datetime import date

import pytest

from voice.rating.money import to_minor
from voice.receivables.composer import Item, compose
from voice.receivables.tax import (
    Exemption,
    Levy,
    NoTaxRule,
    Place,
    Rule,
    TableTaxes,
    Treatment,
    VatIdMissing,
    treatment,
)

DAY = date(2026, 10, 31)
SINCE = date(2020, 1, 1)
RULES = [
    Rule("DE", "vat", "VAT", 190_000, date(2007, 1, 1), date(2020, 7, 1)),
    Rule("DE", "vat", "VAT", 160_000, date(2020, 7, 1), date(2021, 1, 1)),
    Rule("DE", "vat", "VAT", 190_000, date(2021, 1, 1)),
    Rule("FR", "vat", "VAT", 200_000, SINCE),
    Rule("FR", "vat", "VAT", 55_000, SINCE, tax_class="goods"),
    Rule("GB", "vat", "VAT", 200_000, SINCE),
    Rule("DE", "resale", "VAT", 0, date(2021, 1, 1), tax_class="telecom"),
    Rule("US", "usf", "Federal USF", 360_000, SINCE, tax_class="telecom", share=649_000),
    Rule("US", "sales", "State sales tax", 40_000, SINCE, area="NY"),
    Rule("US", "sales", "City sales tax", 45_000, SINCE, area="NY", city="New York"),
    Rule("US", "sales", "District tax", 3_750, SINCE, area="NY", county="Kings"),
    Rule("US", "911", "911 fee", 0, SINCE, area="NY", tax_class="telecom", fixed=300_000, currency="USD"),
    Rule("US", "sales", "State sales tax", 62_500, SINCE, area="TX"),
    Rule("US", "sales", "State sales tax", 65_000, date(2027, 1, 1), area="TX"),
]


def of(seller, buyer, day=DAY, tax_class="telecom", oss=False, **facts):
    return treatment(Place(seller, is_in_oss=oss), Place(buyer, **facts), day, RULES, tax_class=tax_class)


@pytest.mark.parametrize(
    ("day", "rate"), [("2020-06-30", 19), ("2020-07-01", 16), ("2020-12-31", 16), ("2021-01-01", 19)]
)
def test_the_rate_is_that_of_the_day(day, rate):
    assert of("DE", "DE", date.fromisoformat(day)).per_million == rate * 10_000


@pytest.mark.parametrize(
    ("seller", "buyer", "facts", "category", "per_million", "words"),
    [
        # A business of another member state owes the tax itself; goods that go there are exempt.
        ("DE", "FR", {"vat_id": "FR12345678901"}, "AE", 0, "196"),
        ("DE", "FR", {"vat_id": "FR12345678901", "tax_class": "service"}, "AE", 0, "196"),
        ("DE", "FR", {"vat_id": "FR12345678901", "tax_class": "goods"}, "K", 0, "138"),
        # A consumer's calls are taxed at home where the seller declares them there, other services where the seller is.
        ("DE", "FR", {"is_business": False, "oss": True}, "S", 200_000, ""),
        ("DE", "FR", {"is_business": False, "oss": True, "tax_class": "goods"}, "S", 55_000, ""),
        ("DE", "FR", {"is_business": False}, "S", 190_000, ""),
        ("DE", "FR", {"is_business": False, "oss": True, "tax_class": "service"}, "S", 190_000, ""),
        ("GB", "DE", {"is_business": False, "oss": True}, "S", 190_000, ""),
        # Outside the Union.
        ("DE", "US", {}, "O", 0, "US"),
        ("DE", "US", {"is_business": False}, "O", 0, "US"),
        ("DE", "US", {"is_business": False, "tax_class": "service"}, "S", 190_000, ""),
        ("DE", "US", {"tax_class": "goods"}, "G", 0, "export"),
        ("DE", "CH", {}, "O", 0, "accounts for the tax"),
        ("DE", "NO", {}, "O", 0, "accounts for the tax"),
        ("CH", "DE", {}, "O", 0, "accounts for the tax"),
        ("GB", "US", {}, "O", 0, "US"),
        ("US", "DE", {}, "O", 0, "DE"),
    ],
)
def test_the_place_of_supply_decides(seller, buyer, facts, category, per_million, words):
    found = of(seller, buyer, **facts)

    assert (found.category, found.per_million) == (category, per_million)
    assert words in found.note and bool(words) == bool(found.note)


@pytest.mark.parametrize(
    ("seller", "buyer", "facts", "error", "words"),
    [
        ("DE", "DE", {"day": date(2006, 12, 31)}, NoTaxRule, "DE"),
        ("PL", "PL", {}, NoTaxRule, "PL"),
        ("DE", "FR", {}, VatIdMissing, "VAT id"),
        # Consumers whose country wants the seller registered there, from the first call on.
        ("DE", "GB", {"is_business": False}, NoTaxRule, "registered"),
        ("DE", "CH", {"is_business": False}, NoTaxRule, "registered"),
        ("GB", "DE", {"is_business": False}, NoTaxRule, "one-stop"),
        # The Canary Islands, Büsingen: VAT is another there, or none.
        ("DE", "ES", {"postcode": "35 001", "vat_id": "ESX1234567X"}, NoTaxRule, "rules of its own"),
        ("DE", "DE", {"postcode": "78266"}, NoTaxRule, "rules of its own"),
        ("US", "US", {"area": "WY"}, NoTaxRule, "WY"),
        ("US", "US", {}, NoTaxRule, "without a state"),
    ],
)
def test_nothing_is_guessed(seller, buyer, facts, error, words):
    with pytest.raises(error, match=words):
        of(seller, buyer, **facts)


def test_an_exemption_prints_its_ground_for_as_long_as_it_holds():
    embassy = Exemption("Embassy", "vat", begins=SINCE, ends=date(2026, 11, 1))

    assert of("DE", "DE", exemptions=(embassy,)) == Treatment("E", 0, "VAT", "Embassy")
    assert of("DE", "DE", date(2026, 11, 1), exemptions=(embassy,)).category == "S"


def test_a_reseller_of_calls_owes_the_tax_at_home_where_a_rule_says_so():
    certificate = Exemption("USt 1 TH", "vat", is_resale=True)

    found = of("DE", "DE", vat_id="DE123456789", exemptions=(certificate,))
    assert found.category == "AE" and "USt 1 TH" in found.note
    assert of("DE", "DE", tax_class="goods", exemptions=(certificate,)).category == "S"
    assert of("FR", "FR", vat_id="FR12345678901", exemptions=(certificate,)).category == "S"


def test_an_msps_own_rule_takes_the_place_of_everybodys():
    own = Rule("DE", "vat", "VAT", 70_000, date(2022, 1, 1), is_own=True)

    assert treatment(Place("DE"), Place("DE"), DAY, [*RULES, own]).per_million == 70_000
    assert treatment(Place("DE"), Place("DE"), date(2021, 6, 1), [*RULES, own]).per_million == 190_000


BROOKLYN = Place("US", "NY", county="Kings", city="new york")


def names(place, day=DAY, tax_class="telecom", lines=1):
    return [levy.name for levy in TableTaxes(RULES).levies(place, day, tax_class, lines)]


def test_an_address_bears_what_its_state_county_and_city_ask():
    assert names(BROOKLYN) == ["Federal USF", "State sales tax", "City sales tax", "District tax", "911 fee"]
    assert names(Place("US", "NY", city="Albany")) == ["Federal USF", "State sales tax", "911 fee"]
    # What is asked for each number is not asked of a document that bills none.
    assert names(Place("US", "NY", city="Albany"), lines=0) == ["Federal USF", "State sales tax"]
    assert names(BROOKLYN, tax_class="goods") == ["State sales tax", "City sales tax", "District tax"]


def test_a_later_rule_of_the_same_name_takes_over_from_its_day_on():
    def rate(day):
        return TableTaxes(RULES).levies(Place("US", "TX"), day, "service", 0)[0].per_million

    assert (rate(date(2026, 12, 31)), rate(date(2027, 1, 1))) == (62_500, 65_000)
    ended = Rule("US", "sales", "State sales tax", 0, date(2028, 1, 1), area="TX")
    assert TableTaxes([*RULES, ended]).levies(Place("US", "TX"), date(2028, 1, 1), "service", 0) == []


def test_a_resellers_certificate_frees_of_the_taxes_that_it_names():
    usf = Exemption("FCC 499 filer 123456", "usf", is_resale=True, begins=SINCE, ends=date(2027, 1, 1))
    buyer = Place("US", "NY", exemptions=(usf,))

    assert names(buyer) == ["State sales tax", "911 fee"]
    assert names(buyer, date(2027, 1, 1)) == ["Federal USF", "State sales tax", "911 fee"]
    assert "499" in treatment(Place("US"), buyer, DAY, RULES).note
    elsewhere = Exemption("NY resale", "sales", area="TX")
    assert names(Place("US", "NY", exemptions=(elsewhere,))) == ["Federal USF", "State sales tax", "911 fee"]


def test_another_service_can_take_the_tables_place():
    class Streets:
        def levies(self, buyer, day, tax_class, lines):
            return [Levy("Street tax", 10_000)]

    assert treatment(Place("US"), Place("US"), DAY, [], engine=Streets()).levies == (Levy("Street tax", 10_000),)


def test_a_fee_in_another_currency_is_refused():
    with pytest.raises(NoTaxRule, match="EUR"):
        TableTaxes(RULES, "EUR").levies(BROOKLYN, DAY, "telecom", 3)


def test_several_taxes_on_one_line_are_rows_of_their_own_to_the_cent():
    calls = treatment(Place("US"), BROOKLYN, DAY, RULES, lines=3)
    phones = treatment(Place("US"), BROOKLYN, DAY, RULES, tax_class="goods", lines=3)
    items = [Item("usage", "", "Calls", 100_004_000, calls), Item("fee", "", "Phones", 50_000_000, phones)]
    made = compose(items, "USD")

    rows = {each.levy.name: (each.net, each.tax) for each in made.taxes if each.levy}
    assert rows == {
        # 36 % of 64.9 % of the calls; the safe harbour does not touch the phones.
        "Federal USF": (100_000_000, 23_360_000),
        "State sales tax": (150_000_000, 6_000_000),
        "City sales tax": (150_000_000, 6_750_000),
        "District tax": (150_000_000, 560_000),
        "911 fee": (100_000_000, 900_000),
    }
    assert sum(each.net for each in made.taxes if not each.levy) == made.net == 150_000_000
    assert made.tax == sum(tax for _net, tax in rows.values())


def test_a_tax_on_a_part_is_rounded_once():
    chance = random.Random(18)
    for _ in range(200):
        per_million, share = chance.randrange(1_000_000), chance.randrange(1_000_001)
        levied = Treatment("O", 0, "VAT", "", (Levy("Tax", per_million, share),))
        amounts = [chance.randrange(10**10) for _ in range(chance.randrange(1, 9))]
        made = compose([Item("fee", "", str(n), amount, levied) for n, amount in enumerate(amounts)], "USD")

        assert abs(made.tax - made.net * per_million * share / 10**12) <= 5_001
        assert made.tax == to_minor(made.tax, "USD")
