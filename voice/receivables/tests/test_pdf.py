"""The structure of the PDF/A-3 that we write. These checks are our own: they are no certificate of conformance."""

import io

import pytest
from lxml import etree
from pypdf import PdfReader

from voice.receivables import einvoice, pdf, xmp
from voice.receivables.composer import Item
from voice.receivables.tests.papers import CORRECTS, STANDARD, paper, some

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
        "19 %",
    ):
        assert words in text, words


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
        "Credit note" in told and "Corrects invoice" in told and "Reverse charge" in told and "Please pay" not in told
    )
