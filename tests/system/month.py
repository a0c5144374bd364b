"""The month of one test: its customers, its calls, its node, and whoever speaks to the portal about them."""

import json
import random
import sqlite3
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import psycopg

from tests.system.desk import Desk
from tests.system.installation import Installation
from tests.system.month_calls import Call, lines, traffic
from tests.system.month_deals import last_october
from tests.system.month_killer import KINDS, Killer, Node

WORLD = "tests.system.month_world"
CALLERS = [f"+4930231250{n:02}" for n in range(10)]
PIECES, PIECE_EVERY, KILL_EVERY = 30, 0.35, 0.55


class Month:
    """Everything that the steps of the test share."""

    def __init__(self, installation: Installation, folder: Path, seed: int) -> None:
        self.installation, self.chance = installation, random.Random(seed)
        self.begins = last_october(date.today())
        self.slug = f"m{uuid.uuid4().hex[:6]}"
        first = f"+49302312{6000 + 20 * random.randrange(200)}"  # beside those of the demo
        told = {
            "slug": self.slug, "month": self.begins.isoformat(), "network": installation.network, "first": first,
        }  # fmt: skip
        self.world: dict[str, Any] = self.inside("make", **told)
        self.customers: dict[str, dict[str, Any]] = self.world["customers"]
        self.tenants = {label: facts["pk"] for label, facts in self.customers.items()}
        self.calls = traffic(
            self.begins, {label: each["numbers"] for label, each in self.customers.items()}, self.chance
        )
        self.node = Node(installation, folder, self.world["node_name"], self.world["node_token"])
        self.msp = Desk(installation, self.slug, self.world["token"])
        self.operator = Desk(installation, "console")
        self.people = {label: self.desk(label) for label in self.customers}
        # What real calls dial meanwhile: the last four digits tell the lab to answer.
        self.dialled = f"+4420{self.chance.randrange(10**4):04}0123"
        self._killer: Killer | None = None
        self._lab, self._talks = ThreadPoolExecutor(PIECES), list[Future[bool]]()

    def inside(self, what: str, **told: Any) -> Any:
        """Do something inside the installation, with its own code."""
        return json.loads(self.installation.manage(WORLD, what, json.dumps(told)).splitlines()[-1])

    def later(self) -> None:
        """Let the queue's clock go on by an hour."""
        self.inside("later", msp=self.world["msp"])

    def desk(self, label: str, token: str = "") -> Desk:
        """Return a customer's portal, before anybody has logged in."""
        return Desk(self.installation, f"{label}.{self.slug}", token)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Ask the database, which may be away just now: then there is nothing."""
        try:
            return self.installation.query(statement, *values)
        except psycopg.OperationalError:
            return []

    def wait(self, ready: Callable[[], Any], patience: float, what: str) -> Any:
        """Return the first true answer."""
        return self.installation.wait(ready, patience, what)

    def stored(self) -> int:
        """Return the last number of the node's records that the portal has."""
        found = self.rows(
            "SELECT s.last_sequence FROM sbc_spool s WHERE s.node_id = %s ORDER BY s.first_seen DESC LIMIT 1",
            self.world["node"],
        )
        return int(found[0][0]) if found else 0

    def raw(self, calls: list[Call], **tenants: int) -> bytes:
        """Return what Kamailio writes about calls."""
        return lines(calls, self.tenants | tenants, self.world["msp"], self.world["gateway"])

    def carry(self) -> Killer:
        """Carry all calls, real ones for Acme beside them, while every process dies at some time."""
        size = -(-len(self.calls) // PIECES)
        self.node.start()
        self._killer = killer = Killer(self.installation, self.node, self.chance, KILL_EVERY)
        killer.start()
        for first in range(0, len(self.calls), size):
            self.node.write(self.raw(self.calls[first : first + size]))
            self._talks.append(self._lab.submit(self._talk, len(self._talks)))
            time.sleep(PIECE_EVERY)
        killer.join()
        return killer

    def _talk(self, number: int) -> bool:
        """Place a real call through Kamailio; tell whether somebody answered. The lab may be dead, too."""
        wish = {"caller": CALLERS[number % len(CALLERS)], "called": self.dialled, "seconds": 0.5}
        try:
            return bool(self.installation.place([wish])[0].get("code") == 200)
        except Exception:
            return False

    def open_for_real(self) -> int:
        """Return how many of the real calls are still open for the lab's node: whoever was to hang up was killed."""
        store = f"file:{self.installation.data / 'node' / 'spool.sqlite'}?mode=ro"
        with closing(sqlite3.connect(store, uri=True)) as spool:
            found = spool.execute("SELECT count(*) FROM open_call WHERE instr(lines, ?)", [f"cd=%2B{self.dialled[1:]}"])
            return int(found.fetchone()[0])

    def answered_for_real(self) -> int:
        """Return how many of the real calls somebody answered, of those that are over for both sides."""
        return sum(talk.result() for talk in self._talks if talk.done())

    def all_is_back(self) -> bool:
        """Tell whether every kind of process runs again, and pages answer."""
        if not all(self.installation.pids(*words) for words in KINDS.values()):
            return False
        try:
            self.msp.ask("invoice-runs/")
        except (httpx.HTTPError, AssertionError):
            return False
        return self.installation.is_live()

    def go_on(self, ready: Callable[[], Any], what: str, *, killed: bool) -> None:
        """Wait until it is ready; what a killed worker left lying, the queue's clock takes up."""
        for patience in (2, 15, 15) if killed else ():
            with suppress(AssertionError):
                self.wait(ready, patience, what)
                return
            self.later()
        self.wait(ready, 90, what)

    def job(self, pk: str) -> dict[str, Any]:
        """Wait until a job is done, and return what it came to."""
        self.wait(lambda: self.msp.ask(f"jobs/{pk}/")["state"] == "done", 60, "the job")
        result: dict[str, Any] = self.msp.ask(f"jobs/{pk}/")["result"]
        return result

    def proposal(self, pk: int, state: str) -> dict[str, Any]:
        """Return a proposal once it is as it is to be."""

        def looked() -> Any:
            found = self.msp.ask(f"proposals/{pk}/")
            assert found["state"] != "failed", found
            return found if found["state"] == state else None

        return dict(self.wait(looked, 60, f"the proposal to be {state}"))

    def run_over(self, run: int, killed_at: str = "") -> None:
        """Wait until an invoice run has done its work; its worker is killed once a customer is as `killed_at` says."""

        def over() -> bool:
            return self.rows("SELECT state FROM receivables_invoicerun WHERE id = %s", run) == [("ready",)]

        if killed_at:
            count = f"SELECT count(*) FROM receivables_runcustomer WHERE run_id = %s AND {killed_at}"
            self.wait(lambda: over() or self.rows(count, run)[0][0] > 0, 60, "the worker to be at the run")
            self.installation.kill(*KINDS["worker"])
        self.go_on(over, "the run to be through", killed=bool(killed_at))

    def invoice_of(self, tenant: int) -> dict[str, Any]:
        """Return a customer's invoice as the MSP's API tells it."""
        (found,) = (each for each in self.msp.ask("invoices/", limit=200) if each["customer"] == tenant)
        return dict(found)

    def counts_are_told(self, node: str) -> bool:
        """Tell whether the portal knows a node's own count of every record that it has of it."""
        found = self.rows(
            "SELECT s.last_sequence, (SELECT sum(h.records + h.orphans) FROM sbc_hourcount h WHERE h.spool = s.id)"
            " FROM sbc_node n JOIN sbc_spool s ON s.id = n.spool_id WHERE n.name = %s",
            node,
        )
        return bool(found) and found[0][0] == found[0][1]

    def leave(self) -> None:
        """Stop the node and take it out of service, so that nobody waits for it."""
        if self._killer is not None:
            self._killer.over.set()
            self._killer.join()
        self._lab.shutdown(wait=False, cancel_futures=True)
        self.node.stop()
        self.inside("leave", node=self.world["node"])
        self.wait(self.installation.is_live, 60, "the lab's node alone to be enough")
