"""Companies that are registered for VAT abroad: whom they charge there, under which number, and what is refused."""

import io
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from lxml import etree
from pypdf import PdfReader

from portal.core.models import AuditEntry
from portal.db import contexts
from voice.receivables import sources
from voice.receivables.models import Invoice, VatRegistration
from voice.receivables.services import approve, credit, draft, issue, save_registration
from voice.receivables.services.documents import made
from voice.receivables.tax import NotRegistered, Place, Registration, Rule, VatIdMissing, treatment
from voice.receivables.tests import make

EUR = 1_000_000
DAY = date(2026, 10, 31)
RULES = [
    Rule(country, "vat", "VAT", rate, date(2020, 1, 1))
    for country, rate in (("DE", 190_000), ("GB", 200_000), ("CH", 81_000), ("NO", 250_000), ("FR", 200_000))
]
HELD = tuple(Registration(country, f"{country}1", date(2026, 1, 1), None) for country in ("GB", "CH", "NO", "FR"))


def taxed(buyer, tax_class="telecom", *, held=HELD, day=DAY, home="DE", oss=False):
    found = treatment(Place(home, registrations=held, is_in_oss=oss), buyer, day, RULES, tax_class=tax_class)
    return found.category, found.per_million, found.vat_id


class TestWhomItCharges:
    @pytest.mark.parametrize(("country", "rate"), [("GB", 200_000), ("CH", 81_000), ("NO", 250_000)])
    def test_consumers_there_bear_the_vat_there(self, country, rate):
        buyer = Place(country, is_business=False)
        assert taxed(buyer) == ("S", rate, f"{country}1")
        assert taxed(buyer, "goods") == ("S", rate, f"{country}1")
        # Other services are taxed where the seller is.
        assert taxed(buyer, "service") == ("S", 190_000, "")
        with pytest.raises(NotRegistered):
            taxed(buyer, held=())
        with pytest.raises(NotRegistered):
            taxed(buyer, day=date(2025, 12, 31))

    def test_businesses_owe_the_vat_themselves_unless_the_country_or_an_establishment_says_otherwise(self):
        assert taxed(Place("GB", vat_id="GB2")) == ("O", 0, "")
        assert taxed(Place("CH")) == ("S", 81_000, "CH1") and taxed(Place("NO")) == ("S", 250_000, "NO1")
        assert taxed(Place("CH"), "goods") == ("G", 0, "")
        there = (Registration("GB", "GB1", is_established=True), Registration("FR", "FR1", is_established=True))
        assert taxed(Place("GB"), held=there) == ("S", 200_000, "GB1")
        assert taxed(Place("GB"), "goods", held=there) == ("S", 200_000, "GB1")
        assert taxed(Place("FR"), held=there) == ("S", 200_000, "FR1")
        assert taxed(Place("FR", vat_id="FR2")) == ("AE", 0, "")
        with pytest.raises(VatIdMissing):
            taxed(Place("FR"))

    def test_a_consumer_of_the_union_is_declared_in_the_one_stop_shop_or_there(self):
        buyer = Place("FR", is_business=False)
        assert taxed(buyer) == ("S", 200_000, "FR1")
        assert taxed(buyer, oss=True) == ("S", 200_000, "")
        assert taxed(buyer, held=()) == ("S", 190_000, "")

    def test_an_american_company_charges_where_it_is_registered(self):
        assert taxed(Place("GB", is_business=False), home="US") == ("S", 200_000, "GB1")
        assert taxed(Place("GB"), home="US") == ("O", 0, "")


def registered(company, **facts):
    told = {"country": "CH", "vat_id": "CHE-123.456.789 MWST", "begins": date(2026, 1, 1)} | facts
    return save_registration(VatRegistration(msp_id=company.msp_id, entity=company, **told), by=make.BY)


@pytest.mark.django_db
class TestItsInvoices:
    @pytest.fixture
    def swiss(self, billed):
        """Return Acme in Zürich, billed by a company that is registered in Switzerland."""
        registered(billed.entity)
        billed.country, billed.vat_id, billed.postcode, billed.city = "CH", "", "8001", "Zürich"
        billed.entity.registration = "HRB 1 B"
        billed.entity.save()
        billed.save()
        return billed

    def test_they_print_the_number_there_on_paper_and_in_both_e_invoices(self, swiss):
        invoice = make.issued(swiss, 100 * EUR)
        assert (invoice.tax, invoice.seller_vat_id) == (8_100_000, "CHE123456789MWST")
        files = made(invoice)
        text = PdfReader(io.BytesIO(files["pdf"])).pages[0].extract_text()
        assert "CHE123456789MWST" in text and "DE123456789" not in text
        assert b"CHE123456789MWST" in files["xml"] and b"DE123456789" not in files["xml"]
        ubl = etree.fromstring(files["ubl"])
        seller = ubl.find(".//{*}AccountingSupplierParty")
        assert seller.find(".//{*}PartyTaxScheme/{*}CompanyID").text == "CHE123456789MWST"
        # On the network it is found where it always is.
        assert seller.find(".//{*}EndpointID").text == "DE123456789"

        note = credit(invoice, reason="Wrong", by=make.BY)
        registration = VatRegistration.objects.get()
        registration.ends = date(2026, 11, 1)
        save_registration(registration, by=make.BY)
        issue(approve(note, by=make.BY), on=make.TODAY, by=make.BY)
        assert note.seller["vat_id"] == "CHE123456789MWST" and note.total == invoice.total

    def test_one_document_is_taxed_in_one_country(self, swiss):
        swiss.is_business = False
        swiss.save()
        both = sources.read("Line; 10\nTraining; 10; service")
        with pytest.raises(ValidationError, match=r"Calls and lines \(CH\), Other services \(DE\)"):
            draft(swiss, both, begins=make.OCTOBER[0], ends=make.OCTOBER[1], by=make.BY)

    def test_what_was_approved_keeps_its_number(self, swiss):
        invoice = approve(make.drafted(swiss, EUR), by=make.BY)
        with pytest.raises(IntegrityError, match="approved"), transaction.atomic():
            Invoice.objects.filter(pk=invoice.pk).update(seller_vat_id="")

    def test_without_one_the_message_says_what_to_do(self, billed):
        billed.country, billed.vat_id, billed.is_business = "GB", "", False
        with pytest.raises(ValidationError, match="Once Northwind Voice GmbH is registered, enter the number"):
            make.drafted(billed, EUR)


@pytest.mark.django_db
def test_numbers_that_cannot_be_and_days_that_overlap_are_refused(company):
    first = registered(company, ends=date(2026, 7, 1))
    assert first.vat_id == "CHE123456789MWST"
    for facts, words in (
        ({"country": "GB"}, "not a VAT id of GB"),
        ({"country": "GB", "vat_id": "GB12"}, "not the shape"),
        ({"country": "DE", "vat_id": "DE123456789"}, "At home"),
        ({"begins": date(2026, 6, 30)}, "on some of these days"),
        ({"begins": date(2025, 1, 1), "ends": date(2026, 1, 2)}, "on some of these days"),
        ({"begins": date(2026, 8, 1), "ends": date(2026, 8, 1)}, "ends before"),
        ({"vat_id": " ", "begins": date(2026, 8, 1)}, "Enter the VAT id|blank"),
    ):
        with pytest.raises(ValidationError, match=words), transaction.atomic():
            registered(company, **facts)
    registered(company, begins=date(2026, 7, 1))
    registered(company, country="GR", vat_id="EL123456789")


@pytest.mark.django_db
def test_the_page_and_a_program_keep_them_and_another_msp_sees_none(client_of, nadia, northwind, fabrikam, company):
    office = client_of(nadia, northwind)
    page = f"/invoices/companies/{company.pk}/registrations/"
    refused = office.post(f"{page}new/", {"country": "GB", "vat_id": "GB12", "begins": "2026-01-01"})
    assert "shape" in refused.content.decode()
    told = {"country": "GB", "vat_id": "GB 123 4567 89", "begins": "2026-01-01", "is_established": "on"}
    assert office.post(f"{page}new/", told).status_code == 302
    row = office.get("/api/v1/vat-registrations/").json()["results"][0]
    assert (row["vat_id"], row["is_established"]) == ("GB123456789", True)
    assert "GB123456789" in office.get(f"/invoices/companies/{company.pk}/").content.decode()
    ended = office.patch(f"/api/v1/vat-registrations/{row['id']}/", {"ends": "2026-12-01"},
                         content_type="application/json")  # fmt: skip
    assert ended.json()["ends"] == "2026-12-01"
    with contexts.msp(northwind):
        assert AuditEntry.objects.filter(verb="vat_registration.saved").count() == 2
    with contexts.msp(fabrikam):
        assert not VatRegistration.objects.exists()
