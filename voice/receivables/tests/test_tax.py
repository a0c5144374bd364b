"""Which tax applies, to whom and since when; and VAT ids by their shape."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.utils import ProgrammingError

from portal.db import contexts
from voice.receivables import selectors
from voice.receivables.models import TaxRule
from voice.receivables.services import draft
from voice.receivables.tax import NoTaxRule, Place, Rate, TableTaxes, Treatment, VatIdMissing, treatment
from voice.receivables.tests import make
from voice.receivables.vat_ids import ByShape, written

DAY = date(2026, 10, 31)
RATES = [
    Rate("DE", "", "vat", "VAT", 190_000, date(2007, 1, 1), date(2020, 7, 1)),
    Rate("DE", "", "vat", "VAT", 160_000, date(2020, 7, 1), date(2021, 1, 1)),
    Rate("DE", "", "vat", "VAT", 190_000, date(2021, 1, 1)),
    Rate("US", "", "sales", "Sales tax", 40_000, date(2020, 1, 1)),
    Rate("US", "NY", "sales", "Sales tax", 88_750, date(2020, 1, 1)),
]


def of(seller, buyer, day=DAY, vat_id="", **facts):
    return treatment(Place(seller), Place(buyer, vat_id=vat_id, **facts), day, RATES)


@pytest.mark.parametrize(
    ("day", "rate"), [("2020-06-30", 19), ("2020-07-01", 16), ("2020-12-31", 16), ("2021-01-01", 19)]
)
def test_the_rate_is_that_of_the_day(day, rate):
    assert of("DE", "DE", date.fromisoformat(day)).per_million == rate * 10_000


def test_a_business_of_another_member_state_owes_the_tax_itself():
    found = of("DE", "FR", vat_id="FR12345678901")

    assert (found.category, found.per_million) == ("AE", 0)
    assert "Reverse charge" in found.note and "196" in found.note
    with pytest.raises(VatIdMissing):
        of("DE", "FR")


@pytest.mark.parametrize(("seller", "buyer"), [("DE", "US"), ("GB", "DE"), ("GB", "US"), ("US", "DE")])
def test_abroad_is_outside_the_scope_and_the_invoice_says_so(seller, buyer):
    found = of(seller, buyer)
    assert (found.category, found.per_million) == ("O", 0) and buyer in found.note


def test_nothing_is_guessed():
    with pytest.raises(NoTaxRule, match="DE"):
        of("DE", "DE", date(2006, 12, 31))
    with pytest.raises(NoTaxRule, match="FR"):
        of("FR", "FR")


def test_an_exemption_prints_its_ground():
    assert of("DE", "DE", is_exempt=True, exemption="Embassy") == Treatment("E", 0, "VAT", "Embassy")


def test_a_states_rate_comes_before_the_countrys():
    taxes = TableTaxes(RATES)
    assert taxes.treatment(Place("US"), Place("US", "NY"), DAY).per_million == 88_750
    assert taxes.treatment(Place("US"), Place("US", "TX"), DAY).per_million == 40_000


def test_another_service_can_take_the_tables_place():
    class Counties:
        def treatment(self, seller, buyer, day):
            return Treatment("S", 101_250, "Sales tax")

    assert treatment(Place("US"), Place("US"), DAY, [], Counties()).per_million == 101_250


@pytest.mark.django_db
def test_the_table_holds_the_countries_of_the_demo_with_their_law(northwind):
    assert all(rule.source for rule in TaxRule.objects.all())
    assert {rate.country for rate in selectors.tax_rates() if rate.holds(DAY)} == {"DE", "GB"}
    with contexts.msp(northwind), pytest.raises(ProgrammingError), transaction.atomic():
        TaxRule.objects.update(per_million=0)


@pytest.mark.django_db
def test_a_draft_says_what_is_missing_for_its_tax(billed):
    billed.country, billed.vat_id = "FR", ""
    with pytest.raises(ValidationError, match="VAT id"):
        draft(billed, make.Fees(1), begins=make.OCTOBER[0], ends=make.OCTOBER[1], by=make.BY)


@pytest.mark.parametrize("vat_id", ["DE123456789", "ATU12345678", "EL123456789", "NL123456789B01", "GB123456789"])
def test_the_shape_alone_is_said_to_be_the_shape_alone(vat_id):
    assert ByShape().check(vat_id).state == "shape"


@pytest.mark.parametrize("vat_id", ["DE12345678", "US123456789", "GR123456789", "", "D", "DE123456789x"])
def test_what_cannot_be_a_vat_id_is_wrong(vat_id):
    assert ByShape().check(vat_id).state == "wrong"


def test_people_write_vat_ids_with_blanks():
    assert written(" de 123.456-789 ") == "DE123456789"
