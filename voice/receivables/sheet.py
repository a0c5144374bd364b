"""The paper that documents are printed on: the MSP's brand, the reader's language, the seller's facts at the foot."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency, format_decimal, format_percent
from fpdf import FPDF

from voice import languages
from voice.rating.money import MICROS
from voice.receivables import letters, phrases

FONT = "Body"
LEFT, TOP, RIGHT, BOTTOM = 20, 16, 20, 30
WIDTH = 210 - LEFT - RIGHT
GREY, INK, RULE, TINT = (98, 105, 115), (28, 32, 38), (214, 218, 223), (246, 247, 249)
LINE = 5.0


@dataclass(frozen=True, slots=True)
class Look:
    """What makes the page the MSP's own."""

    name: str
    accent: str
    logo: bytes = b""
    size: tuple[int, int] = (0, 0)

    @property
    def colour(self) -> tuple[int, int, int]:
        red, green, blue = (int(self.accent[at : at + 2], 16) for at in (1, 3, 5))
        return red, green, blue


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads a document: in which language, and how its country writes days and amounts."""

    language: str
    locale: str

    @classmethod
    def of(cls, buyer: Any) -> "Reader":
        """Return the reader that a document's buyer is."""
        country = buyer.get("country", "")
        language = languages.language_of(buyer.get("language", ""), country)
        return cls(language, languages.locale_of(language, country))

    def say(self, key: str, **values: object) -> str:
        return phrases.say(self.language, key, **values)

    def money(self, micros: int, currency: str) -> str:
        """Return an amount with the currency's own decimals."""
        text: str = format_currency(Decimal(micros) / MICROS, currency, locale=self.locale)
        return text

    def number(self, value: int) -> str:
        text: str = format_decimal(value, locale=self.locale)
        return text

    def percent(self, per_million: int) -> str:
        """Return a rate with as many decimals as it has."""
        pattern = _percent_pattern(self.locale)
        text: str = format_percent(Decimal(per_million) / MICROS, pattern, locale=self.locale)
        return text

    def day(self, day: date | None) -> str:
        return format_date(day, "medium", locale=self.locale) if day else "–"

    def country(self, code: str) -> str:
        return str(Locale.parse(self.locale).territories.get(code, code))

    def address(self, party: Any) -> list[str]:
        """Return the lines of an address."""
        city = " ".join(filter(None, [party["postcode"], party["city"]]))
        return [line for line in (party["street"], city, self.country(party["country"])) if line]

    def duration(self, seconds: int) -> str:
        minutes, rest = divmod(seconds, 60)
        hours, left = divmod(minutes, 60)
        if hours:
            return self.say("hours", h=self.number(hours), m=left)
        return self.say("minutes", m=minutes, s=rest) if minutes else self.say("seconds", s=rest)


@lru_cache(maxsize=64)
def _percent_pattern(locale: str) -> str:
    whole: str = Locale.parse(locale).percent_formats[None].pattern
    return whole.replace("0", "0.####", 1)


class Sheet(FPDF):
    """Pages with the brand's colour at the top, and the seller's facts and the page's number at the foot."""

    def __init__(self, seller: Any, look: Look, reader: Reader, number: str) -> None:
        super().__init__(format="A4", enforce_compliance="PDF/A-3B")
        self.seller, self.look, self.reader, self.number = seller, look, reader, number
        for style, path in letters.faces().items():
            self.add_font(FONT, style, path)
        self.set_margins(LEFT, TOP, RIGHT)
        self.c_margin = 0
        self.set_auto_page_break(False, BOTTOM)
        self.set_lang(reader.language)
        self.write_as("", 9)

    @property
    def bottom(self) -> float:
        """Return where the foot begins."""
        return float(self.h) - BOTTOM

    def write_as(self, style: str, size: float, colour: tuple[int, int, int] = INK) -> None:
        self.set_font(FONT, style, size)
        self.set_text_color(*colour)

    def put(self, x: float, y: float, width: float, text: str, *, align: str = "L", height: float = LINE) -> None:
        """Write one line of text into a box; nothing breaks a page by itself."""
        self.set_xy(x, y)
        self.cell(width, height, text, align=align)

    def rule(self, y: float, colour: tuple[int, int, int] = RULE, width: float = 0.2, left: float = LEFT) -> None:
        """Draw a line across the text."""
        self.set_draw_color(*colour)
        self.set_line_width(width)
        self.line(left, y, LEFT + WIDTH, y)

    def broken(self, text: str, width: float) -> list[str]:
        """Return the text in lines that fit a width."""
        if "\n" not in text and self.get_string_width(text) < width - 2 * self.c_margin:
            return [text]
        found = self.multi_cell(width, LINE, text, dry_run=True, output="LINES", align="L")
        assert isinstance(found, list)
        return found

    def header(self) -> None:
        self.set_fill_color(*self.look.colour)
        self.rect(0, 0, self.w, 2.4, style="F")

    def footer(self) -> None:
        say, seller = self.reader.say, self.seller
        y = self.bottom + 8
        self.rule(y - 2)
        self.write_as("", 7.5, GREY)
        self.put(LEFT, y, WIDTH, " · ".join([seller["name"], *self.reader.address(seller)]), height=3.8)
        facts = [
            (say("vat_id"), seller["vat_id"]), (say("tax_number"), seller["tax_number"]), ("", seller["registration"]),
            ("", seller["email"]), ("", seller["phone"]),
        ]  # fmt: skip
        told = " · ".join(f"{name} {value}".strip() for name, value in facts if value)
        self.put(LEFT, y + 3.8, WIDTH, told, height=3.8)
        page = say("page", number=self.number, page=self.page_no(), pages="{nb}")
        self.put(LEFT, y + 7.6, WIDTH, page, height=3.8)
