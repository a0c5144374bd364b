"""The tax table as the database keeps it, exemptions, and invoices that bear several taxes."""

import io
from datetime import date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.utils import ProgrammingError
from pypdf import PdfReader

from portal.core.models import AuditEntry
from portal.db import contexts
from voice.inventory.models import Allocation, StockNumber
from voice.rating.tests.test_pricing_document import ALL
from voice.receivables import selectors
from voice.receivables.composer import Item
from voice.receivables.models import Account, Exemption, InvoiceTax, Posting, TaxRule
from voice.receivables.services import add_rule, approve, credit, draft, issue, save_exemption, store_files
from voice.receivables.services.months import draft_month
from voice.receivables.tax import EU, NoTaxRule, Place, TableTaxes
from voice.receivables.taxation import treatment_of
from voice.receivables.tests import make
from voice.receivables.tests.charges import charges
from voice.receivables.tests.test_ledger import commit
from voice.receivables.views.shared import told_taxes

pytestmark = pytest.mark.django_db
DAY = date(2026, 10, 31)
USD = 1_000_000


def rule(msp, **facts):
    told = {"country": "US", "area": "NY", "tax": "sales", "name": "State sales tax", "per_million": 40_000,
            "begins": date(2026, 1, 1), "source": "Tax Law § 1105"}  # fmt: skip
    return add_rule(TaxRule(msp=msp, **(told | facts)), by=make.BY)


def test_every_member_state_britain_switzerland_and_norway_have_a_rate_with_its_law(northwind):
    with contexts.msp(northwind):
        held = {each.country for each in TaxRule.objects.filter(tax="vat") if each.begins <= DAY and each.source}
    assert held >= EU | {"GB", "CH", "NO"}


def test_a_rule_is_added_from_a_day_on_and_never_changed(northwind, fabrikam):
    contexts.use_msp(northwind)
    rule(northwind)
    assert AuditEntry.objects.filter(verb="tax_rule.added").exists()
    for facts, words in (
        ({"begins": date(2025, 12, 31), "per_million": 30_000}, "begins later"),
        ({"begins": date(2026, 1, 1)}, "such a rule"),
        ({"begins": date(2027, 1, 1), "source": ""}, "source|blank"),
        ({"name": "x", "fixed": 1, "per_million": 0, "currency": "XXX"}, "ISO 4217"),
        ({"name": "x", "fixed": 1, "currency": "USD"}, "no rate beside"),
        ({"name": "x", "share_per_million": 1_000_001}, "at most the whole"),
    ):
        with pytest.raises(ValidationError, match=words), transaction.atomic():
            rule(northwind, **facts)
    rule(northwind, begins=date(2027, 1, 1), per_million=45_000)
    for change in (TaxRule.objects.update, TaxRule.objects.filter(country="DE").update):
        with pytest.raises(ProgrammingError), transaction.atomic():
            change(per_million=0)


def test_an_msps_rules_are_its_own_and_everybodys_are_the_operators(northwind, fabrikam, acme):
    contexts.use_msp(northwind)
    rule(northwind)
    with contexts.msp(fabrikam):
        assert not TaxRule.objects.filter(area="NY").exists() and TaxRule.objects.filter(country="DE").exists()
        for msp in (northwind, None):
            with pytest.raises(ProgrammingError), transaction.atomic():
                rule(msp, name="Forged")
    with contexts.public():
        assert not TaxRule.objects.filter(area="NY").exists()
        rule(None, name="Everybody's")
    with contexts.customer(acme):
        assert not TaxRule.objects.exists()


def test_a_draft_says_what_is_missing_for_its_tax(billed):
    billed.country, billed.vat_id = "FR", ""
    with pytest.raises(ValidationError, match="VAT id"):
        make.drafted(billed, 1)
    billed.country = "SG"
    billed.entity.country = "SG"
    with pytest.raises(ValidationError, match="Add it to the tax table"):
        make.drafted(billed, 1)


def test_the_reason_is_in_the_customers_language(billed):
    billed.country, billed.vat_id = "FR", "FR12345678901"
    assert "Autoliquidation" in treatment_of(billed, "telecom", DAY).note
    billed.language = "de"
    assert "Steuerschuldnerschaft" in treatment_of(billed, "telecom", DAY).note


def test_an_exemption_holds_for_its_days_and_its_customer(billed, globex):
    save_exemption(
        Exemption(msp_id=billed.msp_id, tenant=billed.tenant, tax="vat", ground="NATO", begins=date(2026, 10, 1)),
        by=make.BY,
    )
    assert (treatment_of(billed, "telecom", DAY).note, treatment_of(billed, "telecom", date(2026, 9, 30)).note) == (
        "NATO", "",
    )  # fmt: skip
    with pytest.raises(ValidationError, match="ground"), transaction.atomic():
        save_exemption(Exemption(msp_id=billed.msp_id, tenant=billed.tenant, begins=DAY), by=make.BY)


def test_the_federal_factors_end_with_their_quarters_and_two_states_ask_the_same_everywhere(northwind):
    with contexts.msp(northwind):
        rows = [*TaxRule.objects.filter(country="US").order_by("begins")]
        table = TableTaxes(selectors.tax_rules("US"))
    assert all("to be checked" in each.source and each.msp_id is None for each in rows)
    factors = [(each.begins, each.ends) for each in rows if each.tax == "usf"]
    assert all(earlier[1] == later[0] for earlier, later in pairwise(factors)) and factors[-1][1]
    place, telephones = Place("US", "NJ", city="Newark"), Place("US", "MA")
    told = {levy.name: levy.per_million or levy.fixed for levy in table.levies(place, date(2025, 12, 31), "telecom", 1)}
    assert told == {"Federal USF": 381_000, "NJ sales tax": 66_250, "NJ 911 fee": 900_000}
    assert [levy.name for levy in table.levies(telephones, date(2026, 10, 31), "goods", 0)] == ["MA sales tax"]
    with pytest.raises(NoTaxRule, match="Federal USF ended on 2026-01-01"):
        table.levies(place, date(2026, 1, 1), "telecom", 1)
    with pytest.raises(NoTaxRule, match="service"):
        table.levies(place, date(2025, 12, 31), "service", 0)


class Mixed:
    """Calls and telephones: one bears the fee for numbers, both bear sales tax."""

    name = "mixed"

    def items(self, begins, ends, taxed):
        yield Item("usage", "", "Calls", 100 * USD, taxed("telecom"), quantity=40, seconds=3600)
        yield Item("fee", "", "Telephones", 50 * USD, taxed("goods"))


@pytest.fixture
def american(billed, northwind):
    """Return how a customer in New York is billed by a company there."""
    rule(northwind)
    rule(northwind, name="City sales tax", city="New York", per_million=45_000)
    rule(northwind, tax="usf", area="", name="Federal USF", per_million=360_000, share_per_million=649_000,
         tax_class="telecom")  # fmt: skip
    rule(northwind, tax="911", name="911 fee", per_million=0, fixed=300_000, currency="USD", tax_class="telecom")
    billed.entity.country = billed.country = "US"
    billed.entity.vat_id = billed.vat_id = ""
    billed.area, billed.city, billed.currency = "NY", "New York", "USD"
    billed.entity.save()
    billed.save()
    return billed


def test_an_american_invoice_prints_each_tax_and_books_their_sum(american):
    invoice = draft(american, Mixed(), begins=make.OCTOBER[0], ends=make.OCTOBER[1], by=make.BY, numbers=3)
    rows = {each.name: (each.net, each.tax) for each in invoice.taxes.filter(is_levy=True)}
    assert rows == {
        "Federal USF": (100 * USD, 23_360_000),
        "State sales tax": (150 * USD, 6 * USD),
        "City sales tax": (150 * USD, 6_750_000),
        "911 fee": (100 * USD, 900_000),
    }
    issue(approve(invoice, by=make.BY), on=make.TODAY, by=make.BY)
    store_files(invoice)
    commit()

    assert (invoice.net, invoice.tax, invoice.total) == (150 * USD, 37_010_000, 187_010_000)
    assert [len(line.levies) for line in invoice.lines.order_by("position")] == [4, 2]
    booked = Posting.objects.get(account__kind=Account.Kind.TAX)
    assert booked.credit == invoice.tax
    told = {each.words: each.tax for each in told_taxes([*invoice.taxes.order_by("pk")], "USD")}
    assert told == {
        "Federal USF 36 % on 64.9 % of it": 23_360_000, "State sales tax 4 %": 6 * USD,
        "City sales tax 4.5 %": 6_750_000, "911 fee, 3 × $0.30": 900_000,
    }  # fmt: skip
    assert "VAT" not in PdfReader(io.BytesIO(bytes(invoice.files.get(kind="pdf").content))).pages[0].extract_text()


def test_credits_in_parts_give_each_tax_back_to_the_cent(american):
    invoice = draft(american, Mixed(), begins=make.OCTOBER[0], ends=make.OCTOBER[1], by=make.BY, numbers=3)
    issue(approve(invoice, by=make.BY), on=make.TODAY, by=make.BY)

    def credited(position, amount):
        note = credit(invoice, reason="Part", by=make.BY, amounts={position: amount})
        issue(approve(note, by=make.BY), on=make.TODAY, by=make.BY)
        return {each.name: each.tax for each in note.taxes.filter(is_levy=True)}

    # What is asked for each number goes back with the last of its lines.
    assert credited(1, 33_330_000)["911 fee"] == 0
    assert set(credited(2, 50 * USD)) == {"State sales tax", "City sales tax"}
    assert credited(1, 66_670_000)["911 fee"] == 900_000
    assert sum(note.total for note in invoice.credit_notes.all()) == invoice.total
    left = selectors.left_to_credit(invoice)
    assert set(left.lines.values()) == {0} and set(left.taxes.values()) == {(0, 0)}


def test_the_database_counts_a_line_once_however_many_taxes_it_bears(american):
    invoice = draft(american, Mixed(), begins=make.OCTOBER[0], ends=make.OCTOBER[1], by=make.BY, numbers=3)
    InvoiceTax.objects.filter(invoice=invoice, name="State sales tax").update(is_levy=False)
    with pytest.raises(IntegrityError, match="do not add up"), transaction.atomic():
        approve(invoice, by=make.BY)


def test_a_months_fee_for_each_number_is_for_those_that_were_held_in_it(american, northwind):
    """By the page's example: whatever the customer holds when the month is collected."""
    (example,) = [each for each in ALL if each.kind == "numbers"]
    begins = date.fromisoformat(f"{example.options['month']}-01")
    zone = ZoneInfo(example.options["zone"])
    make.contract(american.tenant, zone=example.options["zone"])
    charges(american.tenant, 100 * USD, currency="USD")

    def moment(text):
        return None if text == "now" else datetime.fromisoformat(text).replace(tzinfo=zone)

    for row in example.rows:
        stock = StockNumber.objects.create(msp=northwind, e164=row["Number"], country="US")
        for span in row["Held"].split(", "):
            since, until = map(moment, span.split(" to "))
            Allocation.objects.create(msp=northwind, stock=stock, tenant=american.tenant, since=since, until=until)

    invoice, _found = draft_month(american, begins, make.OCTOBER[1], by=make.BY)

    counted = [row for row in example.rows if row["Counts"] == "yes"]
    assert invoice.taxes.get(name="911 fee").units == len(counted) == int(example.options["numbers"])
