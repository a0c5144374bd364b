"""An invoice on paper, in the MSP's brand: a PDF/A-3 with the e-invoice inside. Pure over a frozen document."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, format_decimal
from django.utils.translation import gettext as _
from font_source_sans_pro import font_files_ttf
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from portal.ui.values import duration
from tenants.countries import country_name
from voice.rating.money import MICROS
from voice.receivables import xmp
from voice.receivables.einvoice import LineRow, TaxRow, percent, pieces

# It tells each letter that it leaves out of a font.
logging.getLogger("fontTools").setLevel(logging.WARNING)
FONT = "Body"
FACES = {"": "SourceSansPro", "B": "SourceSansProSemibold"}
ATTACHMENT = "factur-x.xml"
LEFT, TOP, RIGHT, BOTTOM = 20, 18, 20, 28
GREY, INK = (100, 106, 115), (30, 34, 40)
LOGO_HEIGHT, LOGO_WIDTH = 16, 60


@dataclass(frozen=True, slots=True)
class Look:
    """What makes the page the MSP's own."""

    name: str
    accent: str
    logo: bytes = b""
    size: tuple[int, int] = (0, 0)
    locale: str = "en_GB"

    @property
    def colour(self) -> tuple[int, int, int]:
        red, green, blue = (int(self.accent[at : at + 2], 16) for at in (1, 3, 5))
        return red, green, blue


class Sheet(FPDF):
    """Pages with the seller's facts and the page's number at the foot."""

    def __init__(self, seller: Any, look: Look, number: str) -> None:
        super().__init__(format="A4", enforce_compliance="PDF/A-3B")
        self.seller, self.look, self.number = seller, look, number
        for style, name in FACES.items():
            self.add_font(FONT, style, font_files_ttf[name])
        self.set_margins(LEFT, TOP, RIGHT)
        self.set_auto_page_break(True, BOTTOM)
        self.write_as("", 9)

    def write_as(self, style: str, size: float, colour: tuple[int, int, int] = INK) -> None:
        self.set_font(FONT, style, size)
        self.set_text_color(*colour)

    def footer(self) -> None:
        seller = self.seller
        self.set_y(-BOTTOM + 6)
        self.set_draw_color(*self.look.colour)
        self.line(LEFT, self.get_y(), self.w - RIGHT, self.get_y())
        self.ln(1.5)
        self.write_as("", 7.5, GREY)
        self.cell(0, 3.6, " · ".join(filter(None, [seller["name"], *address(seller)])), new_x="LMARGIN", new_y="NEXT")
        facts = [
            (_("VAT id"), seller["vat_id"]), (_("Tax number"), seller["tax_number"]), ("", seller["registration"]),
            ("", seller["email"]), ("", seller["phone"]),
        ]  # fmt: skip
        told = " · ".join(f"{name} {value}".strip() for name, value in facts if value)
        self.cell(0, 3.6, told, new_x="LMARGIN", new_y="NEXT")
        page = _("%(number)s, page %(page)d of {nb}") % {"number": self.number, "page": self.page_no()}
        self.cell(0, 3.6, page, align="R")


def address(party: Any) -> list[str]:
    """Return the lines of an address."""
    city = " ".join(filter(None, [party["postcode"], party["city"]]))
    return [line for line in (party["street"], city, country_name(party["country"])) if line]


def render(
    document: Any,
    lines: Sequence[LineRow],
    taxes: Sequence[TaxRow],
    look: Look,
    *,
    xml: bytes | None = None,
    corrects: tuple[str, date] | None = None,
) -> bytes:
    """Return the document as PDF/A-3b; with `xml` it is a Factur-X invoice of the profile EN 16931."""
    made = datetime.combine(document.issued_on or date(2000, 1, 1), time(), UTC)
    title = _("Credit note") if document.is_credit_note else _("Invoice")
    number = document.number or _("Draft")
    sheet = Sheet(document.seller, look, number)
    sheet.set_title(f"{title} {number}")
    sheet.set_author(document.seller["name"])
    sheet.set_creation_date(made)
    sheet.set_lang("en")
    sheet.set_xmp_metadata(xmp.packet(f"{title} {number}", document.seller["name"], made, is_facturx=xml is not None))
    sheet.add_page()
    _head(sheet, document, title, number, corrects)
    _lines(sheet, document, lines)
    _totals(sheet, document, taxes)
    _end(sheet, document, taxes)
    if xml is not None:
        sheet.embed_file(
            bytes=xml, basename=ATTACHMENT, mime_type="text/xml", associated_file_relationship="Alternative",
            modification_date=made, creation_date=made, desc="EN 16931", checksum=True, compress=True,
        )  # fmt: skip
    return bytes(sheet.output())


def _head(sheet: Sheet, document: Any, title: str, number: str, corrects: tuple[str, date] | None) -> None:
    look, buyer = sheet.look, document.buyer
    if look.logo:
        width, height = look.size if all(look.size) else (1, 1)
        # As high as its place unless that would make it wider.
        across = min(LOGO_WIDTH, LOGO_HEIGHT * width / height)
        sheet.image(look.logo, x=LEFT, y=TOP, w=across, alt_text=look.name)
    sheet.set_y(TOP)
    sheet.write_as("B", 15, look.colour)
    sheet.cell(0, LOGO_HEIGHT, look.name, align="R", new_x="LMARGIN", new_y="NEXT")
    sheet.ln(10)
    top = sheet.get_y()
    sheet.write_as("", 7.5, GREY)
    sheet.cell(85, 4, " · ".join([document.seller["name"], *address(document.seller)]), new_x="LMARGIN", new_y="NEXT")
    sheet.write_as("", 10)
    told = [buyer["name"], *address(buyer)] + (
        [_("VAT id %(id)s") % {"id": buyer["vat_id"]}] if buyer["vat_id"] else []
    )
    for line in told:
        sheet.cell(85, 5, line, new_x="LMARGIN", new_y="NEXT")
    below = sheet.get_y()
    facts = [(_("Number"), number), (_("Date"), _day(document.issued_on, look)), (_("Period"), _period(document, look))]
    if not document.is_credit_note:
        facts.append((_("Pay until"), _day(document.due_on, look)))
    if corrects:
        facts.append((_("Corrects invoice"), f"{corrects[0]}, {_day(corrects[1], look)}"))
    if buyer.get("buyer_reference"):
        facts.append((_("Your reference"), buyer["buyer_reference"]))
    sheet.set_y(top + 4)
    for name, value in facts:
        sheet.set_x(118)
        sheet.write_as("", 9, GREY)
        sheet.cell(28, 5, name)
        sheet.write_as("", 9)
        sheet.cell(0, 5, value, new_x="LMARGIN", new_y="NEXT")
    sheet.set_y(max(below, sheet.get_y()) + 12)
    sheet.write_as("B", 17)
    sheet.cell(0, 9, f"{title} {number}", new_x="LMARGIN", new_y="NEXT")
    if document.reason:
        sheet.write_as("", 9.5)
        sheet.multi_cell(0, 5, document.reason, new_x="LMARGIN", new_y="NEXT")
    sheet.ln(3)


def _lines(sheet: Sheet, document: Any, lines: Sequence[LineRow]) -> None:
    look = sheet.look
    sheet.write_as("", 9)
    sheet.set_draw_color(210, 214, 219)
    head = FontFace(emphasis="BOLD", color=look.colour)
    with sheet.table(
        width=170,
        col_widths=(82, 20, 24, 16, 28),
        text_align=("LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT"),
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        headings_style=head,
        line_height=5.4,
        padding=0.6,
    ) as table:
        table.row([_("What"), _("Quantity"), _("Each"), _("VAT"), _("Amount")])
        for line in lines:
            count, price = pieces(line, document.currency)
            told = line.text
            if line.kind == "usage":
                told += "\n" + _("%(n)s calls, %(time)s") % {
                    "n": format_decimal(line.quantity, locale=look.locale), "time": duration(line.seconds),
                }  # fmt: skip
            table.row(
                [
                    told,
                    format_decimal(count, locale=look.locale),
                    money(price, document.currency, look),
                    "–" if line.category == "O" else f"{percent(line.per_million)} %",
                    money(line.net, document.currency, look),
                ]
            )


def _totals(sheet: Sheet, document: Any, taxes: Sequence[TaxRow]) -> None:
    look, currency = sheet.look, document.currency
    if sheet.will_page_break(12 + 6 * len(taxes)):
        sheet.add_page()
    sheet.ln(3)
    rows = [(_("Net"), document.net, "")]
    for each in taxes:
        if each.is_levy:
            rows.append((each.name, each.tax, ""))
            continue
        if each.category == "O" and not each.note:
            continue
        name = _("VAT %(rate)s %% on %(net)s") if each.category != "O" else _("Not subject to VAT: %(net)s")
        rows.append((name % {"rate": percent(each.per_million), "net": money(each.net, currency, look)}, each.tax, ""))
    rows.append((_("Total"), document.total, "B"))
    for name, micros, style in rows:
        sheet.set_x(100)
        sheet.write_as(style, 11 if style else 9.5)
        sheet.cell(60, 6, name)
        sheet.cell(30, 6, money(micros, currency, look), align="R", new_x="LMARGIN", new_y="NEXT")


def _end(sheet: Sheet, document: Any, taxes: Sequence[TaxRow]) -> None:
    seller, look = document.seller, sheet.look
    sheet.ln(8)
    sheet.write_as("", 9)
    said = [each.note for each in taxes if each.note]
    if not document.is_credit_note and document.total > 0 and seller["iban"]:
        said.append(
            _("Please pay %(total)s until %(day)s to %(iban)s%(bank)s with the reference %(number)s.")
            % {
                "total": money(document.total, document.currency, look), "day": _day(document.due_on, look),
                "iban": _grouped(seller["iban"]), "bank": f" ({seller['bank']})" if seller["bank"] else "",
                "number": document.number or "–",
            }
        )  # fmt: skip
    for line in said:
        sheet.multi_cell(0, 5, line, new_x="LMARGIN", new_y="NEXT")
        sheet.ln(1)


def _grouped(iban: str) -> str:
    return " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))


def _day(day: date | None, look: Look) -> str:
    return format_date(day, "medium", locale=look.locale) if day else "–"


def _period(document: Any, look: Look) -> str:
    return f"{_day(document.begins, look)} – {_day(document.ends - timedelta(days=1), look)}"


def money(micros: int, currency: str, look: Look) -> str:
    """Return an amount as the reader's country writes it, with the currency's own decimals."""
    text: str = format_currency(Decimal(micros) / MICROS, currency, locale=look.locale)
    return text
