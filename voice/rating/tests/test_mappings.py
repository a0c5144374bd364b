"""How a price list is read when an earlier one was read before."""

from datetime import UTC, datetime

import pytest

from portal.core.audit import Actor
from voice.carriers.models import Carrier, Trunk
from voice.rating import imports, services
from voice.rating.models import RateDeck
from voice.rating.tests.make import ask

BY = Actor(email="nadia@northwind.example")
JULY = datetime(2026, 7, 1, tzinfo=UTC)


def test_columns_that_nobody_knows_are_asked_and_then_remembered(
    deck, bring, agree, django_capture_on_commit_callbacks
):
    file = bring(deck, "Breakout;Was es kostet\n44;0,0119\n")
    assert (file.state, file.options["asked"]) == ("asking", ["columns"])

    with django_capture_on_commit_callbacks(execute=True):
        imports.read_again(file, {"columns": {"prefix": 0, "per_minute": 1}, "header": 0}, by=BY)
    file.refresh_from_db()
    agree(file)
    again = bring(deck, "Was es kostet;Breakout\n0,0130;44\n", JULY)

    assert (again.state, again.good) == ("checked", 1)
    assert again.version.lines.get().per_minute == 13_000


@pytest.fixture
def another(northwind, deck):
    """Return another deck, priced by which a trunk of a carrier costs."""

    def another(name, carrier=None, kind="buy"):
        made = services.save_deck(RateDeck(msp=northwind, name=name, kind=kind, currency="EUR"), by=BY)
        if carrier is not None:
            ask(made, Trunk.objects.create(msp=northwind, name=name, host="192.0.2.1", carrier=carrier).pk)
        return made

    return another


@pytest.fixture
def understood(bring, agree, django_capture_on_commit_callbacks):
    """Bring a file whose columns nobody knows into a deck, and say what they are."""

    def understood(deck, text, increments):
        file = bring(deck, text)
        assert file.options["asked"] == ["columns"]
        with django_capture_on_commit_callbacks(execute=True):
            said = {"columns": {"prefix": 0, "per_minute": 1}, "header": 0, "increments": increments}
            imports.read_again(file, said, by=BY)
        file.refresh_from_db()
        return agree(file)

    return understood


def test_a_carriers_second_deck_is_read_as_its_first(northwind, another, bring, understood):
    one, two = (Carrier.objects.create(msp=northwind, name=name) for name in ("One", "Two"))
    understood(another("First", one), "Breakout;Was es kostet\n44;0,0119\n", "60/60")

    same = bring(another("Second", one), "Was es kostet;Breakout\n0,0130;44\n")
    theirs = bring(another("Theirs", two), "Code;Was es kostet\n44;0,0130\n")
    new = bring(another("New"), "Was es kostet;Breakout\n0,0130;44\n")
    sold = bring(another("Sold", kind="sell"), "Was es kostet;Breakout\n0,0130;44\n")

    assert (same.state, same.options["increments"]) == ("checked", "60/60")
    assert same.version.lines.get().per_minute == 13_000
    # Other headings are another way to write a list; and of whom no carrier is known only the columns are taken over.
    assert theirs.options["asked"] == sold.options["asked"] == ["columns"]
    assert (new.state, new.options["increments"]) == ("checked", "1/1")


def test_of_the_carriers_ways_the_one_used_last_counts(northwind, another, bring, understood):
    carrier = Carrier.objects.create(msp=northwind, name="One")
    for name, increments in (("First", "60/60"), ("Second", "30/6")):
        deck = another(name, carrier)
        text = "Breakout;Was es kostet\n44;0,0119\n"
        if name == "First":
            understood(deck, text, increments)
        else:
            file = bring(deck, text, options={"increments": increments})
            assert file.state == "checked"
            imports.confirm(file, accept=True, by=BY)
            imports.activate(file, by=BY)

    assert bring(another("Third", carrier), "Breakout;Was es kostet\n44;0,0119\n").options["increments"] == "30/6"


PLAIN = "Code,Destination,Rate\n44,United Kingdom,0.0119\n"
RICH = "Code,Destination,Rate,Connection fee,Minimum,Increment\n44,United Kingdom,0.0119,0.05,60,6\n"


def terms_of(file):
    line = file.version.lines.get()
    return line.per_minute, line.fee, line.minimum, line.increment


def test_a_richer_file_is_read_whole(northwind, another, bring, agree):
    carrier = Carrier.objects.create(msp=northwind, name="One")
    agree(bring(another("First", carrier), PLAIN, options={"increments": "30/30"}))

    file = bring(another("Second", carrier), RICH)

    assert (file.state, terms_of(file)) == ("checked", (11_900, 50_000, 60, 6))


def test_what_was_remembered_goes_before_what_is_guessed(northwind, another, bring, understood):
    carrier = Carrier.objects.create(msp=northwind, name="One")
    understood(another("First", carrier), "Breakout;Net\n44;0,0119\n", "60/60")

    file = bring(another("Second", carrier), "Country code;Code;Breakout;Rate;Net;Fee\n44;9;20;0,9;0,0130;0,05\n")

    assert (file.state, terms_of(file)) == ("checked", (13_000, 50_000, 60, 60))
    # What tells the codes' country is a column of its own beside the codes that are remembered.
    assert file.version.lines.get().prefix == "4420"


def test_a_poorer_file_is_asked_about_where_it_lacks_what_calls_cost(
    northwind, another, bring, agree, django_capture_on_commit_callbacks
):
    carrier = Carrier.objects.create(msp=northwind, name="One")
    first = another("First", carrier)
    agree(bring(first, RICH))

    file, own = bring(another("Second", carrier), PLAIN), bring(first, PLAIN, JULY, full=False)

    assert file.options["asked"] == own.options["asked"] == ["columns"]
    assert file.options["lacking"] == ["Connection fee", "Minimum", "Increment"]
    assert file.options["columns"] == {"prefix": 0, "destination": 1, "per_minute": 2}
    with django_capture_on_commit_callbacks(execute=True):
        imports.read_again(file, {"decimal": "."}, by=BY)
    file.refresh_from_db()
    assert file.options["asked"] == ["columns"]
    with django_capture_on_commit_callbacks(execute=True):
        imports.read_again(file, {"columns": file.options["columns"], "increments": "60/1"}, by=BY)
    file.refresh_from_db()
    assert (file.state, terms_of(file)) == ("checked", (11_900, 0, 60, 1))
    agree(file)
    # What was said holds for the next one.
    assert bring(file.version.deck, PLAIN.replace("0.0119", "0.0130"), JULY).options["asked"] == []


def test_a_file_without_what_costs_nothing_is_no_question(northwind, another, bring, agree, deck):
    agree(bring(deck, "Code,Destination,Rate,Effective date\n44,United Kingdom,0.0119,2026-06-01\n"))

    assert bring(deck, "Code,Rate\n44,0.0130\n", JULY, full=False).state == "checked"


def test_an_earlier_file_with_all_the_headings_goes_before_one_with_some(northwind, another, bring, agree):
    carrier = Carrier.objects.create(msp=northwind, name="One")
    agree(bring(another("First", carrier), PLAIN, options={"increments": "30/6"}))
    agree(bring(another("Second", carrier), RICH))

    file = bring(another("Third", carrier), PLAIN)

    assert (file.state, file.options["increments"]) == ("checked", "30/6")


def test_a_column_that_somebody_left_out_stays_out(bring, agree, deck, django_capture_on_commit_callbacks):
    file = bring(deck, RICH)
    with django_capture_on_commit_callbacks(execute=True):
        imports.read_again(file, {"columns": {"prefix": 0, "per_minute": 2, "increment": 5}}, by=BY)
    file.refresh_from_db()
    agree(file)

    again = bring(deck, RICH.replace("0.0119", "0.0130"), JULY)

    assert (again.state, terms_of(again)) == ("checked", (13_000, 0, 1, 6))
