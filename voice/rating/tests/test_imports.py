"""A file on its way into a deck: read and compared, asked about, activated, discarded; and rates set by hand."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError

from portal.core.audit import Actor
from portal.core.models import AuditEntry, Job
from portal.core.tasks import sweep
from portal.db import contexts
from voice.rating import imports, loading, services
from voice.rating.files.lines import Line, Terms
from voice.rating.models import CustomerDeck, DeckImport, DeckLine, DeckRate, DeckVersion, RateDeck, TrunkDeck
from voice.rating.tests.make import give, stored_deck, stored_rate

BY = Actor(email="nadia@northwind.example")
JUNE, JULY, AUGUST = (datetime(2026, month, 1, tzinfo=UTC) for month in (6, 7, 8))
DECK = "Code,Destination,Rate\n1,United States,0.0100\n1787,Puerto Rico,0.0350\n44,United Kingdom,0.0120\n"


def in_force(deck, at):
    return {
        rate.prefix: rate.per_minute
        for rate in DeckRate.objects.filter(deck=deck)
        if rate.begins <= at and (rate.ends is None or at < rate.ends)
    }


def test_nothing_is_in_the_deck_before_somebody_says_so(deck, bring, agree):
    file = bring(deck, DECK + "nonsense,,1\n")

    assert (file.state, file.good, file.bad) == ("checked", 3, 1)
    assert [(each.row, each.column) for each in file.errors.all()] == [(5, "prefix")]
    assert file.version.summary["counts"]["new"] == 3
    assert DeckRate.objects.count() == 0

    version = agree(file)

    assert (file.state, bytes(file.content), version.state, version.number) == ("done", b"", "active", 1)
    assert in_force(deck, JULY) == {"1": 10_000, "1787": 35_000, "44": 12_000}
    assert AuditEntry.objects.filter(verb="buying_deck.version_activated").count() == 1


def test_a_full_update_ends_what_is_missing_and_leaves_what_is_the_same(deck, bring, agree):
    agree(bring(deck, DECK))
    kept = DeckRate.objects.get(prefix="1")
    file = bring(
        deck, "Code,Destination,Rate\n1,United States,0.0100\n44,United Kingdom,0.0150\n49,Germany,0.02\n", JULY
    )

    lines = {
        each.prefix: (each.change, each.before, each.per_minute, each.falls_to) for each in file.version.lines.all()
    }
    assert lines == {
        "44": ("up", 12_000, 15_000, None),
        "49": ("new", None, 20_000, None),
        "1787": ("gone", 35_000, None, 10_000),
    }
    version = agree(file)

    assert in_force(deck, JUNE) == {"1": 10_000, "1787": 35_000, "44": 12_000}
    assert in_force(deck, JULY) == {"1": 10_000, "44": 15_000, "49": 20_000}
    assert DeckRate.objects.get(prefix="1").pk == kept.pk
    assert {rate.prefix for rate in version.ended.all()} == {"1787", "44"}


def test_a_part_of_a_deck_ends_nothing(deck, bring, agree):
    agree(bring(deck, DECK))
    agree(bring(deck, "Code,Rate,Destination\n44,0.0150,United Kingdom\n", JULY, full=False))

    assert in_force(deck, JULY) == {"1": 10_000, "1787": 35_000, "44": 15_000}


def test_a_version_for_later_needs_nobody_at_midnight(deck, bring, agree):
    agree(bring(deck, DECK))
    later = datetime(2099, 1, 1, tzinfo=UTC)
    version = agree(bring(deck, "Code,Rate\n44,0.0150\n", later, full=False))

    assert (version.state, version.state_now, version.state_at(later)) == ("active", "scheduled", "active")
    held = loading.decks_for([deck.pk])[deck.pk].deck
    midnight = round(later.timestamp() * 1000)
    assert [held.find("out", "4420", "", at).per_minute for at in (midnight - 1, midnight)] == [12_000, 15_000]


def test_processes_see_the_new_rates_at_once(deck, bring, agree):
    agree(bring(deck, DECK))
    assert loading.decks_for([deck.pk])[deck.pk].deck.size == 3

    agree(bring(deck, "Code,Rate\n49,0.0150\n", full=False))

    assert loading.decks_for([deck.pk])[deck.pk].deck.size == 4


@pytest.mark.parametrize(
    ("rows", "asked"),
    [
        ("44,UK,1.234\n49,DE,2.500\n", ["decimal"]),
        ('44,UK,0.0119\n49,DE,"0,0119"\n', ["decimal"]),
        ("44,UK,0.0119\n", []),
    ],
)
def test_a_mark_that_is_not_clear_is_asked_and_never_guessed(deck, bring, rows, asked):
    file = bring(deck, f"Code,Destination,Rate\n{rows}")

    assert (file.state, file.options["asked"]) == ("asking" if asked else "checked", asked)
    assert DeckLine.objects.exists() is not bool(asked)


def test_the_answer_is_applied_strictly(deck, bring, django_capture_on_commit_callbacks):
    file = bring(deck, 'Code;Rate;From\n44;1.234;01/02/2026\n49;"0,5";01/02/2026\n43;0,0119;01/02/2026\n')
    assert file.options["asked"] == ["dates"]
    assert file.options["decimal_shown"] == ["", "0,5", "1.234"]

    with django_capture_on_commit_callbacks(execute=True):
        imports.read_again(file, {"dates": "dmy", "decimal": "."}, by=BY)

    file.refresh_from_db()
    assert (file.state, file.good, file.bad) == ("checked", 1, 2)


def test_a_price_for_a_time_that_leaves_a_hole_is_warned_of(deck, bring, agree):
    agree(bring(deck, DECK))
    rows = "1787,Puerto Rico,0.0300,2026-08-01\n44,United Kingdom,0.0100,2026-08-01\n"
    file = bring(deck, f"Code,Destination,Rate,Valid until\n{rows}", JULY, full=False)

    (words,) = [each for each in imports.warnings(file) if "from a day on" in each]
    assert (
        words.startswith("2 codes") and "+1787 (1 Aug 2026)" in words and "for 1 of these codes there is none" in words
    )
    with pytest.raises(ValidationError, match="Look at the warnings"):
        imports.confirm(file, accept=False, by=BY)


def test_warnings_have_to_be_looked_at(deck, bring, agree):
    agree(bring(deck, DECK))
    file = bring(deck, "Code,Destination,Rate\n1,United States,0.1000\n1787,Puerto Rico,0.0350\n", JULY)

    words = " ".join(imports.warnings(file))
    assert "1 price is ten times" in words and "+44" in words and "More than a fifth" in words
    with pytest.raises(ValidationError, match="Look at the warnings"):
        imports.confirm(file, accept=False, by=BY)
    assert DeckImport.objects.get(pk=file.pk).state in ("checked", "activating")


def test_a_file_that_was_compared_with_an_older_deck_is_compared_again(
    deck, bring, agree, django_capture_on_commit_callbacks
):
    agree(bring(deck, DECK))
    first, second = bring(deck, "Code,Rate\n44,0.02\n", full=False), bring(deck, "Code,Rate\n44,0.03\n", full=False)
    agree(first)

    with pytest.raises(ValidationError, match="Compare it again"):
        imports.confirm(second, accept=True, by=BY)
    second.refresh_from_db()
    with django_capture_on_commit_callbacks(execute=True):
        imports.read_again(second, {}, by=BY)
    second.refresh_from_db()

    assert second.version.lines.get().before == 20_000
    agree(second)
    assert in_force(deck, JULY)["44"] == 30_000


def test_a_dropped_draft_leaves_nothing_and_cannot_be_activated(deck, bring):
    file = bring(deck, DECK)
    imports.discard(file.version, by=BY)
    file.refresh_from_db()

    assert (file.version.state, bytes(file.content), DeckLine.objects.count()) == ("discarded", b"", 0)
    for late in (lambda: imports.confirm(file, accept=True, by=BY), lambda: imports.discard(file.version, by=BY)):
        with pytest.raises(ValidationError):
            late()
    with pytest.raises(ValidationError):
        imports.activate(file, by=BY)


def test_a_file_that_makes_no_sense_says_so(deck, bring):
    assert (bring(deck, b"PK\x03\x04nothing").state, bring(deck, b"PK\x03\x04nothing").message[:14]) == (
        "failed", "This workbook ",
    )  # fmt: skip
    assert bring(deck, "Code,Rate\n").message == "There is no rate in this file."
    with pytest.raises(ValidationError, match="empty"):
        bring(deck, b"  ")


@pytest.mark.parametrize(("state", "left"), [("checking", "failed"), ("activating", "checked")])
def test_a_file_whose_worker_was_killed_can_be_taken_up_again(deck, bring, state, left):
    file = bring(deck, DECK)
    kind = {"checking": "rating.check", "activating": "rating.activate"}[state]
    DeckImport.objects.update(state=state)
    Job.objects.filter(pk=file.job_id).update(
        kind=kind, state="running", updated_at=datetime.now(UTC) - timedelta(hours=1)
    )

    sweep()

    file.refresh_from_db()
    assert file.state == left


def test_a_fault_of_ours_leaves_a_file_that_can_be_read_again(deck, bring, monkeypatch):
    def fail(*_):
        raise RuntimeError("disk")

    monkeypatch.setattr(imports, "read_table", fail)
    file = bring(deck, DECK)

    assert file.state == "failed"
    assert Job.objects.get(pk=file.job_id).state == "failed"


def test_selling_below_cost_is_found_from_either_side(northwind, deck, bring, agree):
    agree(bring(deck, DECK))
    retail = services.save_deck(RateDeck(msp=northwind, name="Retail", kind="sell", currency="EUR"), by=BY)
    dollars = services.save_deck(RateDeck(msp=northwind, name="Dollars", kind="sell", currency="USD"), by=BY)
    file = bring(retail, "Code,Rate\n1,0.02\n44,0.01\n")

    assert file.version.summary["losses"] == {
        "count": 2,
        "seconds": 180,
        "worst": [
            {"prefix": "1787", "sell": 60_000, "buy": 105_000, "seller": "Retail", "buyer": "Carrier A"},
            {"prefix": "44", "sell": 30_000, "buy": 36_000, "seller": "Retail", "buyer": "Carrier A"},
        ],
    }
    agree(file)
    dearer = bring(deck, "Code,Rate\n1,0.03\n", full=False)
    assert dearer.version.summary["losses"]["count"] == 3
    assert dearer.version.summary["losses"]["worst"][0]["seller"] == "Retail"
    assert dearer.version.summary["not_compared"] == [dollars.name]


def test_one_rate_set_by_hand_is_a_version_of_its_own(deck, bring, agree):
    agree(bring(deck, DECK))
    version = services.put_rates(
        deck, [Line(0, ("out", "447", ""), Terms("UK mobile", 180_000), None, None)], at=JULY, by=BY, note="by mail"
    )

    assert (version.number, version.state, version.note) == (2, "active", "by mail")
    assert in_force(deck, JULY)["447"] == 180_000 and "447" not in in_force(deck, JUNE)
    with pytest.raises(ValidationError, match="already"):
        services.put_rates(deck, [Line(0, ("out", "447", ""), Terms("UK mobile", 180_000), None, None)], at=JULY, by=BY)


def test_a_deck_with_rates_keeps_its_currency_and_a_bad_one_is_refused(deck, bring, agree, northwind):
    agree(bring(deck, DECK))
    deck.refresh_from_db()
    deck.currency = "USD"
    with pytest.raises(ValidationError, match="keeps its currency"):
        services.save_deck(deck, by=BY)
    for wrong in (
        {"currency": "XXX"}, {"zone": "Mars/Base"}, {"name": ""}, {"name": "carrier a"}, {"free": ["up"]},
        {"bands": {"windows": [{"band": "x"}]}},
    ):  # fmt: skip
        with pytest.raises(ValidationError):
            services.save_deck(
                RateDeck(**{"msp": northwind, "name": "B", "kind": "buy", "currency": "EUR"} | wrong), by=BY
            )


def test_who_pays_by_which_deck_follows_without_gap_or_overlap(northwind, acme, initech):
    contexts.use_msp(northwind)
    retail, gold = stored_deck(northwind, "Retail"), stored_deck(northwind, "Gold")
    services.assign_customer(acme, retail, begins=JUNE, by=BY)
    services.assign_customer(acme, gold, begins=AUGUST, by=BY)
    services.assign_customer(acme, gold, begins=JULY, by=BY)

    spans = CustomerDeck.objects.filter(tenant=acme).order_by("begins").values_list("deck__name", "begins", "ends")
    assert list(spans) == [("Retail", JUNE, JULY), ("Gold", JULY, AUGUST), ("Gold", AUGUST, None)]
    services.assign_customer(acme, None, begins=AUGUST, by=BY)
    assert not CustomerDeck.objects.filter(ends=None).exists()
    with pytest.raises(ValidationError):
        services.assign_customer(acme, stored_deck(northwind, "Buy", "buy"), begins=JUNE, by=BY)
    with pytest.raises(ValidationError):
        services.assign_customer(initech, retail, begins=JUNE, by=BY)


def test_a_trunk_costs_by_a_buying_deck_of_its_msp(northwind, acme, deck):
    from voice.carriers.tests.make import own_trunk, shared_trunk

    contexts.use_msp(northwind)
    trunk = shared_trunk(northwind, BY)
    services.assign_trunk(trunk, deck, begins=JUNE, by=BY)

    assert TrunkDeck.objects.get().trunk == trunk.pk
    with pytest.raises(ValidationError):
        services.assign_trunk(trunk, stored_deck(northwind, "Retail"), begins=JUNE, by=BY)
    with contexts.customer(acme):
        own = own_trunk(acme, BY, host="127.0.9.77")
    with pytest.raises(ValidationError, match="pays its own trunk"):
        services.assign_trunk(own, deck, begins=JUNE, by=BY)


def test_a_deck_in_use_is_not_closed(northwind, acme):
    contexts.use_msp(northwind)
    retail = stored_deck(northwind, "Retail")
    stored_rate(retail, "44", 1)
    give(retail, acme)
    with pytest.raises(ValidationError, match="Somebody is priced"):
        services.close_deck(retail, by=BY)

    services.assign_customer(acme, None, begins=JUNE, by=BY)
    services.close_deck(retail, by=BY)

    assert RateDeck.objects.get(pk=retail.pk).closed_at and DeckRate.objects.count() == 1
    assert DeckVersion.objects.filter(deck=retail).count() == 1
    with pytest.raises(ValidationError, match="closed"):
        services.close_deck(retail, by=BY)


def test_a_draft_that_nobody_activates_is_dropped_in_the_end(deck, bring, agree):
    agree(bring(deck, DECK))
    draft = bring(deck, DECK.replace("0.0100", "0.0110")).version

    assert imports.expire_drafts(draft.expires_at, by=BY) == 0
    assert imports.expire_drafts(draft.expires_at + timedelta(seconds=1), by=BY) == 1

    draft.refresh_from_db()
    assert draft.state == "discarded" and not DeckLine.objects.filter(version=draft).exists()
    assert deck.versions.filter(state="active").count() == 1
