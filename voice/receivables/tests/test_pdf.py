"""The structure of the PDF/A-3 that we write. These checks are our own: they are no certificate of conformance."""

import io
import re
from decimal import Decimal
from pathlib import Path

import pytest
from lxml import etree
from pypdf import PdfReader

from voice.receivables import einvoice, payment_box, pdf, xmp
from voice.receivables.composer import Item
from voice.receivables.phrases import PHRASES
from voice.receivables.tax import Levy, Treatment
from voice.receivables.tests.papers import BUYER, CORRECTS, SELLER, STANDARD, paper, some

EUR = 1_000_000
LOOK = pdf.Look("Northwind Voice", "#0f766e")


def pages_of(document, lines, taxes, **facts):
    xml = einvoice.xml(document, lines, taxes)
    return PdfReader(io.BytesIO(pdf.render(document, lines, taxes, LOOK, xml=xml, **facts)), strict=True), xml


@pytest.fixture(scope="module")
def made():
    return pages_of(*paper([Item("fee", str(n), f"Numbers {n}", n * EUR, STANDARD) for n in range(1, 60)]))


def test_it_carries_the_e_invoice_as_an_associated_file(made):
    reader, xml = made
    (named,) = reader.trailer["/Root"]["/AF"]
    spec = named.get_object()

    assert dict(reader.attachments) == {"factur-x.xml": [xml]}
    assert (spec["/AFRelationship"], spec["/F"], spec["/UF"]) == ("/Alternative", "factur-x.xml", "factur-x.xml")
    stream = spec["/EF"]["/F"].get_object()
    assert stream["/Subtype"] == "/text/xml" and "/ModDate" in stream["/Params"]


def test_its_metadata_say_pdf_a_3b_and_factur_x(made):
    reader, _xml = made
    metadata = reader.trailer["/Root"]["/Metadata"].get_object()
    tree = etree.fromstring(metadata.get_data())

    found = {each.tag.split("}")[1]: each.text for each in tree.iter() if isinstance(each.tag, str) and not len(each)}
    assert "/Filter" not in metadata
    assert (found["part"], found["conformance"], found["ConformanceLevel"]) == ("3", "B", "EN 16931")
    assert (found["DocumentFileName"], found["namespaceURI"]) == ("factur-x.xml", xmp.FX)


def test_it_has_an_output_intent_an_id_and_no_encryption(made):
    reader, _xml = made
    root = reader.trailer["/Root"]
    (intent,) = root["/OutputIntents"]

    assert (intent.get_object()["/S"], "/DestOutputProfile" in intent.get_object()) == ("/GTS_PDFA1", True)
    assert "/ID" in reader.trailer and not reader.is_encrypted
    assert not {"/JavaScript", "/OpenAction"} & set(root.get("/Names", {})) and "/AA" not in root


def test_every_font_is_embedded_with_its_unicode(made):
    reader, _xml = made
    fonts = {ref.idnum: ref.get_object() for page in reader.pages for ref in page["/Resources"]["/Font"].values()}
    assert fonts
    for font in fonts.values():
        (descendant,) = font["/DescendantFonts"]
        descriptor = descendant.get_object()["/FontDescriptor"]
        assert "/FontFile2" in descriptor and "/ToUnicode" in font


def test_it_says_what_the_invoice_says_over_several_pages(made):
    reader, _xml = made
    text = "\n".join(page.extract_text() for page in reader.pages)

    assert len(reader.pages) > 1 and f"page 1 of {len(reader.pages)}" in text
    for words in (
        "Invoice 2026-00001",
        "Northwind Voice",
        "Żółć <Acme>",
        "PL1234567890",
        "€1,770.00",
        "€2,106.30",
        "19%",
        "RF32 2026 0000 1",
    ):
        assert words in text, words


def test_what_a_page_carries_is_what_stands_on_the_pages_before(made):
    reader, _xml = made
    first, second = (page.extract_text() for page in reader.pages[:2])

    lines = re.findall(r"Numbers (\d+)\b", first)
    carried = f"€{sum(map(int, lines)):,}.00"
    assert re.search(rf"Carried forward\s+{carried}", first)
    assert re.search(rf"Brought forward\s+{carried}", second)


def pages(document, lines, taxes):
    return " ".join(
        page.extract_text() for page in PdfReader(io.BytesIO(pdf.render(document, lines, taxes, LOOK))).pages
    )


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"country": "DE"}, ["Rechnung 2026-00001", "20.11.2026", "USt. 19\xa0% auf 3,00\xa0€", "Deutschland"]),
        ({"country": "FR"}, ["Facture 2026-00001", "20 nov. 2026", "Total TTC", "3,57\xa0€", "Pour régler"]),
        ({"country": "FR", "language": "en"}, ["Invoice 2026-00001", "20 Nov 2026", "€3.57"]),
        ({"country": "CH", "language": ""}, ["Rechnung 2026-00001", "20.11.2026"]),
        ({"country": "JP"}, ["Invoice 2026-00001", "20 Nov 2026"]),
    ],
)
def test_it_speaks_the_customers_language(facts, words):
    told = pages(*paper([Item("fee", "", "Fee", 3 * EUR, STANDARD)], buyer=BUYER | facts))
    for each in words:
        assert each in told, each


def test_several_taxes_are_rows_with_a_letter_that_their_lines_name():
    some_taxes = (Levy("USF", 360_000, 649_000), Levy("State tax", 40_000), Levy("911 fee", fixed=300_000, units=3))
    calls, phones = (Treatment("O", 0, "VAT", "", levies) for levies in (some_taxes, some_taxes[1:2]))
    items = [Item("usage", "", "Calls", 100 * EUR, calls), Item("fee", "", "Phones", EUR, phones)]
    told = pages(*paper(items, "USD", buyer=BUYER | {"country": "US"}))

    for words in ("A B C", "A USF, 36% on 64.9% of $100.00", "B State tax, 4% on $101.00", "C 911 fee, 3 × $0.30"):
        assert words in re.sub(r"\s+", " ", told), words
    assert "Not subject" not in told and "$127.40" not in told


def test_the_code_is_a_transfer_of_the_total_with_the_reference():
    document, *_ = paper([Item("fee", "", "Fee", 3 * EUR, STANDARD)])
    assert payment_box.transfer_of(document) == {
        "name": SELLER["name"], "iban": SELLER["iban"], "bic": SELLER["bic"], "amount": Decimal("3.57"),
        "reference": "RF32202600001",
    }  # fmt: skip
    for other in (paper([Item("fee", "", "Fee", EUR, STANDARD)], "GBP"), paper([Item("fee", "", "x", 0, STANDARD)])):
        assert payment_box.transfer_of(other[0]) is None


def test_every_phrase_that_is_said_is_in_the_table_and_the_other_way_round():
    sources = "".join(path.read_text() for path in Path(pdf.__file__).parent.rglob("*.py") if "tests" not in path.parts)
    for key in PHRASES:
        assert sources.count(f'"{key}"') > 1, key


def test_two_copies_are_the_same_byte_for_byte():
    one, two = (pdf.render(*some(5), LOOK) for _ in range(2))
    assert one == two


def test_a_credit_note_and_reverse_charge_say_so():
    document, lines, taxes = next(
        each for each in map(some, range(1000)) if each[0].is_credit_note and each[2][0].category == "AE"
    )
    text = PdfReader(io.BytesIO(pdf.render(document, lines, taxes, LOOK, corrects=CORRECTS))).pages
    told = " ".join(page.extract_text() for page in text)

    assert (
        "Credit note" in told and "Corrects invoice" in told and "Reverse charge" in told and "How to pay" not in told
    )
