"""How long a price list of a hundred thousand lines takes to be read and compared, and to be activated."""

import io
import random
import time
from datetime import UTC, datetime
from typing import Any

from tests.bench.figure import Figure, emit, note
from tests.bench.ground import ground

ROWS = 100_000
SAVED = 2_000
# Of a hundred codes of a weekly price list: dearer, cheaper, gone and new.
UP, DOWN, GONE, NEW = 5, 3, 2, 2
JUNE, JULY, AUGUST = (datetime(2026, month, 1, tzinfo=UTC) for month in (6, 7, 8))
HEAD = ("Code", "Destination", "Rate", "Connection fee", "Increment", "Effective date")


def run() -> list[Figure]:
    """Print the dry run of a CSV and an XLSX file with its comparison, beside saving rates row by row."""
    with ground():
        return _figures()


def _figures() -> list[Figure]:
    from portal.core.audit import Actor
    from portal.db import contexts
    from tenants.models import Msp
    from voice.rating import services
    from voice.rating.files.lines import Line, Terms
    from voice.rating.models import RateDeck

    by = Actor.system("bench")
    with contexts.public():
        msp = Msp.objects.get(slug="northwind")
    chance = random.Random(1889)
    codes = _codes(chance, ROWS + ROWS * NEW // 100)
    prices = {code: chance.randrange(2_000, 400_000, 100) for code in codes}
    with contexts.msp(msp):
        note(f"decks: a selling and a buying deck of {ROWS:,} rates each")
        decks = []
        for kind, percent in (("buy", 80), ("sell", 100)):
            deck = services.save_deck(RateDeck(msp=msp, name=f"Bench {kind}", kind=kind, currency="EUR"), by=by)
            lines = [
                Line(0, ("out", code, ""), Terms(f"to {code[:3]}", prices[code] * percent // 100, 0, 1, 1), None, None)
                for code in codes[:ROWS]
            ]
            services.put_rates(deck, lines, at=JUNE, by=by, full=True)
            decks.append(deck)
        rows = _changed(chance, codes, prices)
        dry, file = _dry_run(decks[1], "list.csv", _csv(rows), JULY)
        dry_xlsx, _file = _dry_run(decks[1], "list.xlsx", _xlsx(rows), JULY)
        activated = _activate(file)
        note(f"decks: baseline, {SAVED:,} rates found, compared and saved one by one, scaled")
        baseline = _row_by_row(decks[0], rows) * ROWS / SAVED
    told = file.version.summary["counts"]
    remark = f"{told['up']} dearer, {told['down']} cheaper, {told['gone']} gone, {told['new']} new; losses looked for"
    return [
        emit(
            "a deck of 100,000 rows, CSV, dry run with comparison",
            dry,
            "s",
            at_most=15,
            baseline=baseline,
            remark=remark,
        ),
        emit("the same as XLSX", dry_xlsx, "s", at_most=60, baseline=baseline),
        emit("the same, activated", activated, "s", at_most=15),
    ]


def _codes(chance: random.Random, count: int) -> list[str]:
    """Return codes as A–Z decks have them: of all countries, of two to nine digits."""
    countries = (
        "1",
        "7",
        "20",
        "27",
        "30",
        "31",
        "33",
        "34",
        "39",
        "44",
        "49",
        "52",
        "55",
        "61",
        "81",
        "86",
        "91",
        "353",
    )
    found: dict[str, None] = {}
    while len(found) < count:
        found[chance.choice(countries) + str(chance.randrange(10 ** chance.randrange(1, 7)))] = None
    return list(found)


def _changed(chance: random.Random, codes: list[str], prices: dict[str, int]) -> list[tuple[str, ...]]:
    rows = []
    for place, code in enumerate(codes):
        lot = place % 100
        if place < ROWS and lot < GONE:
            continue
        price = prices[code]
        if GONE <= lot < GONE + UP:
            price += 100 * chance.randrange(1, 50)
        elif GONE + UP <= lot < GONE + UP + DOWN:
            price -= 100 * chance.randrange(1, price // 100)
        rows.append((code, f"to {code[:3]}", f"{price / 1_000_000:.4f}".replace(".", ","), "0", "1/1", "01.06.2026"))
    return rows


def _csv(rows: list[tuple[str, ...]]) -> bytes:
    return "\r\n".join(";".join(row) for row in (HEAD, *rows)).encode()


def _xlsx(rows: list[tuple[str, ...]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook(write_only=True)
    sheet = book.create_sheet("Rates")
    sheet.append(HEAD)
    for code, name, price, *rest in rows:
        sheet.append([int(code), name, float(price.replace(",", ".")), *rest])
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _dry_run(deck: Any, name: str, content: bytes, at: datetime) -> tuple[float, Any]:
    """Return the seconds from the file to the stored comparison, as the job does it."""
    from portal.core.audit import Actor
    from voice.rating import imports, services
    from voice.rating.models import DeckImport

    note(f"decks: {name}, {len(content) / 1_000_000:.1f} MB, read and compared")
    version = services.new_version(deck, at=at, by=Actor.system("bench"), full=True)
    file = DeckImport.objects.create(msp_id=deck.msp_id, version=version, name=name, content=content, state="checking")
    file = DeckImport.objects.select_related("version__deck").get(pk=file.pk)
    began = time.perf_counter()
    imports.check(file, lambda *_: None)
    took = time.perf_counter() - began
    assert (file.state, file.bad) == ("checked", 0), (file.state, file.bad, file.message)
    return took, file


def _activate(file: Any) -> float:
    from portal.core.audit import Actor
    from voice.rating import imports

    began = time.perf_counter()
    imports.activate(file, by=Actor.system("bench"))
    return time.perf_counter() - began


def _row_by_row(deck: Any, rows: list[tuple[str, ...]]) -> float:
    """Return the seconds that a sample takes the plain way: find the rate, end it, save the new one."""
    from voice.rating.models import DeckRate

    version = deck.versions.get()
    began = time.perf_counter()
    for code, name, price, *_rest in rows[:SAVED]:
        running = DeckRate.objects.filter(deck=deck, prefix=code, direction="out", callers="", ends=None).first()
        if running is not None:
            running.ends = AUGUST
            running.save()
        micros = round(float(price.replace(",", ".")) * 1_000_000)
        DeckRate.objects.create(
            deck=deck,
            msp_id=deck.msp_id,
            version=version,
            prefix=code,
            destination=name,
            per_minute=micros,
            begins=AUGUST,
        )
    return time.perf_counter() - began
