"""The euro's reference rates as the European Central Bank publishes them: read from its XML, or asked for."""

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import date
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Protocol
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring
from django.conf import settings
from django.utils.module_loading import import_string

from voice.rating.money import UnknownCurrency, UnreadableAmount, decimals, read_micros

URL = "https://www.ecb.europa.eu/stats/eurofxref/eurofxref-daily.xml"
# A file of ninety days has 2,000 rates and 200 kB; one of everything since 1999 has 8 MB.
MOST_BYTES, MOST_RATES = 10_000_000, 20_000
SECONDS = 15
BASE = "EUR"
DEFAULT = "voice.currencies.ecb.Daily"


class Unreadable(ValueError):
    """What came is no file of the ECB's reference rates, or nothing came."""


@dataclass(frozen=True, slots=True)
class Published:
    """One euro was so many of a currency on a day."""

    day: date
    quote: str
    nanos: int


class Source(Protocol):
    """Where the day's rates come from."""

    def fetch(self) -> bytes: ...


class Daily:
    """Asks the address of the daily file."""

    def fetch(self) -> bytes:
        """Return the file; raises Unreadable where it cannot be had."""
        url = urlsplit(getattr(settings, "ECB_RATES_URL", URL))
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        try:
            with closing(kind(url.netloc, timeout=SECONDS)) as line:
                line.request("GET", url.path, headers={"Accept": "application/xml"})
                said = line.getresponse()
                content = said.read(MOST_BYTES)
        except (OSError, HTTPException) as error:
            raise Unreadable(f"The European Central Bank does not answer: {error}")
        if said.status != 200:
            raise Unreadable(f"The European Central Bank answers with {said.status}.")
        return content


def source() -> Source:
    """Return where this installation has the rates from."""
    made: Source = import_string(getattr(settings, "EXCHANGE_RATE_SOURCE", DEFAULT))()
    return made


def read(content: bytes) -> Sequence[Published]:
    """Return the rates of a file, of one day or of many; raises Unreadable rather than skip what it does not know."""
    if len(content) > MOST_BYTES:
        raise Unreadable("The file is larger than the bank's are.")
    try:
        root = fromstring(content)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Unreadable(f"This is no XML of the European Central Bank: {error}")
    found = [_one(day, cube) for day in root.iter() if "time" in day.attrib for cube in day]
    if not found:
        raise Unreadable("There is no rate in this file.")
    if len(found) > MOST_RATES:
        raise Unreadable(f"There are more than {MOST_RATES} rates in this file.")
    if len({(each.day, each.quote) for each in found}) < len(found):
        raise Unreadable("A currency has two rates on one day.")
    return found


def _one(day: Element, cube: Element) -> Published:
    quote, rate = cube.attrib.get("currency", ""), cube.attrib.get("rate", "")
    try:
        decimals(quote)
        # Rates have four or five decimals; amounts are read with six.
        nanos = read_micros(rate) * 1000
        on = date.fromisoformat(day.attrib["time"])
    except (UnknownCurrency, UnreadableAmount, ValueError) as error:
        raise Unreadable(f"{day.attrib['time'][:20]} {quote[:10]}: {error}")
    if nanos <= 0 or quote == BASE:
        raise Unreadable(f"{on} {quote}: this is no rate of the euro.")
    return Published(on, quote, nanos)
