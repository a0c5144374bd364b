"""How fast call records get from a node's spool to the acknowledged commit, with roll-ups, priced and not."""

import statistics
import sys
import time
import uuid
from pathlib import Path

import psycopg

from tests.bench.figure import Figure, emit, note
from tests.bench.ground import Ground, a_node, ground
from tests.bench.processes import daphne, running, wait_for

CALLS = 60_000
SAVED = 1_000
BATCH = 500
TURNS = 3
PREFIXES = 10_000
# That call, each with its own sums: in two thousand calls of a busy hour hardly anybody calls twice.
NUMBERS = 1_000


def run() -> list[Figure]:
    """Print call records a second through the real node process and portal, beside saving row by row and unrated."""
    with ground() as on:
        trunks = _sold_and_bought()
        rates: dict[str, list[float]] = {"0": [], "1": []}
        for turn in range(2 * TURNS):
            rated = str(turn % 2)
            note(f"records: {CALLS} calls into a node's spool, {'rated' if rated == '1' else 'unrated'}")
            rates[rated].append(_through_a_node(on, f"bench-{turn}", trunks, LIVE_RATING=rated))
        unrated, rated_too = (statistics.median(rates[which]) for which in ("0", "1"))
        note(f"records: baseline, {SAVED} rows saved one by one")
        return [
            emit(
                "call records from the node's spool to the acknowledged commit, with roll-ups",
                unrated,
                "records/s",
                at_least=10_000,
                baseline=_row_by_row(),
            ),
            emit(
                "live: node spool to rated, rolled up, balance moved, acknowledged",
                rated_too,
                "CDRs/s",
                at_least=8_000,
                baseline=unrated,
                remark=f"the same without rating; each in turns, median of {TURNS}",
            ),
        ]


def _sold_and_bought() -> dict[int, str]:
    """Give every customer a deck, and every MSP a trunk with one; return the trunk's gateway of each customer."""
    from portal.db import contexts
    from tenants.models import Msp
    from voice.carriers.models import Trunk
    from voice.rating.tests import make

    gateways = {}
    with contexts.public():
        msps = list(Msp.objects.all())
    for msp in msps:
        with contexts.msp(msp):
            decks = [make.stored_deck(msp, kind, kind) for kind in ("sell", "buy")]
            for deck in decks:
                version = deck.versions.get()
                # One prefix of every length prices the call, the others make the deck as long as real ones.
                prefixes = {"49", "4930", "493055", *(f"{100_000 + n * 7}" for n in range(PREFIXES))}
                DeckRate = type(make.stored_rate(deck, "1", 10_000))
                DeckRate.objects.bulk_create(
                    DeckRate(
                        deck=deck, msp=msp, version=version, prefix=prefix, per_minute=12_345, begins=make.LONG_AGO,
                        destination=f"to {prefix[:2]}",
                    )
                    for prefix in sorted(prefixes)
                )  # fmt: skip
            trunk = Trunk.objects.create(msp=msp, name="Bench", host="192.0.2.1")
            make.ask(decks[1], trunk.pk)
            for customer in msp.customers.all():
                make.give(decks[0], customer)
                gateways[customer.pk] = trunk.gateway
    return gateways


def _through_a_node(on: Ground, name: str, trunks: dict[int, str], **environment: str) -> float:
    """Return the records a second of a new node that drains a full spool."""
    node, token = a_node(name)
    directory = on.folder / name
    _fill(directory, trunks)
    (directory / "token").write_text(token)
    return _drained(on, node.name, directory, environment)


def _fill(directory: Path, trunks: dict[int, str]) -> None:
    from sbc.node.spool import Spool
    from sbc.tests.fake_node import record

    customers = sorted(trunks)
    directory.mkdir(mode=0o700)
    spool = Spool(directory / "spool.sqlite")
    began = int(time.time() * 1000) - 2 * 3_600_000
    for first in range(0, CALLS, BATCH):
        # A busy hour, so that the roll-ups have minutes to fall into.
        calls = [
            record(0, pk, invited=began + n * 3_600_000 // CALLS, egress=trunks[pk], caller=number, caller_sent=number)
            for n in range(first, first + BATCH)
            for pk, number in [(customers[n % len(customers)], f"+493010{n % NUMBERS:04}")]
        ]
        for call in calls:
            del call["seq"]  # the spool's own
            call["attempts"][0]["trunk"] = call["egress"]
        spool.store(calls)
    spool.close()


def _drained(on: Ground, name: str, directory: Path, environment: dict[str, str]) -> float:
    """Return the records a second from the portal's welcome until the portal has acknowledged the last one."""
    with daphne("portal.asgi_nodes:application", on.environment | environment) as port:
        command = [sys.executable, "-m", "sbc.node", "--engine", "memory", "--node", name]
        command += ["--portal", f"ws://127.0.0.1:{port}", "--directory", str(directory)]
        with psycopg.connect(on.admin(), autocommit=True) as database:
            with running([*command, "--token-file", str(directory / "token")]):
                wait_for(lambda: _taken(database, name) is not None, "the node's spool to be known", every=0.002)
                began = time.perf_counter()
                wait_for(lambda: _taken(database, name) == CALLS, "the last record", every=0.005)
                took = time.perf_counter() - began
            count = "SELECT count(*), (SELECT count(*) FROM rating_charge) FROM calls_cdr WHERE node_name = %s"
            kept, charged = database.execute(count, [name]).fetchone() or (0, 0)
    assert kept == CALLS, kept
    assert charged % CALLS == 0 and (charged > 0 or environment["LIVE_RATING"] == "0"), charged
    return CALLS / took


def _taken(database: psycopg.Connection, name: str) -> int | None:
    row = database.execute(
        "SELECT s.last_sequence FROM sbc_spool s JOIN sbc_node n ON n.id = s.node_id WHERE n.name = %s", [name]
    ).fetchone()
    return int(row[0]) if row else None


def _row_by_row() -> float:
    """Return the rows a second of one save each, as an ordinary Django view would, without any roll-up."""
    from portal.db import contexts
    from tenants.models import Customer
    from voice.calls.models import Cdr

    with contexts.public():
        acme = Customer.objects.select_related("msp").get(label="acme")
    with contexts.customer(acme):
        cdr = Cdr.objects.order_by("-invited")[0]
    with contexts.ingest():
        began = time.perf_counter()
        for _ in range(SAVED):
            cdr.id = uuid.uuid4()
            cdr.save(force_insert=True)
        return SAVED / (time.perf_counter() - began)
