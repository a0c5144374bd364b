"""Other people's ids, wherever an id can stand: the answer is as for ids that nobody has, and says nothing of them."""

import json
import re
import uuid

import pytest
from django.core.cache import cache
from django.utils.timezone import now

from portal.core.models import Job, JobFile
from portal.db import contexts
from portal.db.partitions import ensure_days
from tenants.tests.clients import client_of
from tests import strangers, walk
from tests.strangers import NOBODYS
from tests.test_walk import body, member, undone
from voice.calls.models import Cdr, LiveCall
from voice.calls.tests.make import cdr

pytestmark = pytest.mark.django_db
FEW = 2
NUMBER = b"493099887766"
SHARED = {("calls_cdr", "id"), ("core_auditentry", "id"), ("core_job", "id"), ("core_jobfile", "id")}
# What lists and forms ask for that is no id.
PLAIN = {
    "cursor", "format", "limit", "q", "export", "sort", "size", "next", "from", "to", "urlencode", "state", "direction",
    "kind", "grain", "outcome", "health", "month", "currency", "area", "verb", "who", "method", "result", "role",
    "disposition", "validation", "day", "country", "class", "way", "csrfmiddlewaretoken",
}  # fmt: skip


class Stranger:
    """Somebody at a place of their own who tries the ids of others there."""

    def __init__(self, browser, kind, mine, theirs, secrets, victim, monkeypatch):
        self.browser, self.kind, self.secrets, self.monkeypatch = browser, kind, secrets, monkeypatch
        self.mine, self.theirs, self.victim = mine, strangers.others(theirs, mine), victim
        self.before = walk.snapshot(victim)
        self.wrong, self.tried = [], set()
        browser.raise_request_exception = False

    def pry(self, only=()):
        """Try every page and call of the place; return what was answered that should not have been."""
        for leaf in [leaf for leaf in walk.leaves(self.kind) if not only or leaf.template in only]:
            for method in leaf.methods:
                path = self.in_address(leaf, method)
                if path is not None and method == "get":
                    self.in_query(leaf, path)
                elif path is not None and method != "delete":
                    self.in_body(leaf, method, path)
        return self.wrong

    def in_address(self, leaf, method):
        """Try ids in the address; return the address of something of their own, None where they have no such thing."""
        own = {}
        for slot, value in leaf.ids(NOBODYS).items():

            def ask(pk, slot=slot):
                return self.ask(method, leaf.path({**leaf.ids(NOBODYS), slot: pk}))

            for where in sorted(self.compare((method, leaf.template), value, ask)):
                own |= {slot: self.mine[where][0]} if self.mine.get(where) else {}
        return leaf.path(own) if own or not leaf.ids(NOBODYS) else None

    def in_query(self, leaf, path):
        """Try ids as what a list is narrowed by."""
        with strangers.asked_for(self.monkeypatch) as names, undone():
            self.ask("get", path)
        for name in sorted(names - PLAIN):

            def ask(pk, name=name):
                return self.ask("get", path, {name: pk})

            self.compare(("get", leaf.template, name), NOBODYS["int"], ask)

    def in_body(self, leaf, method, path):
        """Try ids in every field that can hold one."""
        names = set()
        if not leaf.is_api:
            with strangers.asked_for(self.monkeypatch) as names, undone():
                self.ask(method, path)

        def ask(pk):
            with strangers.filled(self.monkeypatch, pk):
                return self.ask(method, path, form=None if leaf.is_api else dict.fromkeys(names - PLAIN, str(pk)))

        for value in NOBODYS.values() if leaf.is_api else [NOBODYS["int"]]:
            self.compare((method, leaf.template, "body"), value, ask)

    def compare(self, what, value, ask):
        """Ask with an id of nobody's, then with theirs, of whatever that was looked up as; return where that was."""
        with strangers.looked_up(value) as places, undone():
            base = ask(value)
        # An id stands in all fields at once: it must be nothing of their own in any of them.
        own = {pk for where in places for pk in self.mine.get(where, ())}
        for where in sorted(places & self.theirs.keys()):
            for pk in [pk for pk in self.theirs[where] if pk not in own][:FEW]:
                with undone():
                    answer = ask(pk)
                    may_have = what[0] != "get" and answer.status_code < 400
                    changed = may_have and walk.snapshot(self.victim) != self.before
                self.tried.add(where)
                said, wanted = heard(answer, value, pk), heard(base, value, pk)
                if changed or said != wanted:
                    self.wrong.append((*what, where, pk, changed, said, wanted))
        return places

    def ask(self, method, path, query=None, form=None):
        """Ask as a browser or a program would, logged in whatever was asked before."""
        facts = {"query_params": query or {}}
        if method != "get":
            facts |= {"data": form or {}} | ({"content_type": "application/json"} if path.startswith("/api/") else {})
        cache.clear()
        kept = self.browser.cookies["session"].value
        answer = getattr(self.browser, method)(path, **facts)
        said = body(answer)
        if answer.status_code >= 500 or any(secret in said for secret in self.secrets):
            self.wrong.append((method, path, query, answer.status_code))
        self.browser.cookies["session"] = kept
        return answer


def heard(answer, *tried):
    """Return what an answer says, whichever of the ids was asked for: of a page its code, to a program each word."""
    said = ""
    if answer.get("Content-Type", "").endswith("json"):
        found = json.loads(answer.content)
        said = {**found, "instance": "", "request_id": ""} if isinstance(found, dict) else found
    text = f"{answer.get('Location', '')} {said}"
    return answer.status_code, re.sub(rf"(?<!\w)({'|'.join(map(str, tried))})(?!\w)", "#", text)


@pytest.fixture
def more(world, acme):
    """Give Acme of the kinds of things that the demo has none of."""
    at = now()
    ensure_days("calls_cdr", {at.date()})
    with contexts.ingest():
        Cdr.objects.bulk_create([cdr(acme, at, caller=f"+{NUMBER.decode()}")])
        LiveCall(
            call=uuid.uuid4(), tenant=acme, msp=acme.msp, node_name="n", direction="out", caller=f"+{NUMBER.decode()}",
            called="112", state="ringing", started=at, updated=at,
        ).save(force_insert=True)  # fmt: skip
    with contexts.customer(acme):
        whose = {"tenant_id": acme.pk, "msp_id": acme.msp_id}
        job = Job(kind="calls.export", state="done", message=f"acme {NUMBER.decode()}", **whose)
        job.save(force_insert=True)
        JobFile(job=job, name="acme.csv", content=NUMBER, **whose).save(force_insert=True)
    contexts.use_public()


def test_another_customers_ids_are_as_good_as_none(more, acme, globex, mallory, monkeypatch):
    mine, theirs = strangers.ids_in(contexts.customer(globex)), strangers.ids_in(contexts.customer(acme))
    stranger = Stranger(client_of(mallory, globex), "customer", mine, theirs, [b"acme", NUMBER], acme, monkeypatch)

    assert stranger.pry() == []
    assert stranger.tried >= SHARED | {
        ("billing_bill", "id"), ("calls_livecall", "call"), ("directory_person", "id"), ("directory_place", "id"),
        ("numbers_number", "id"), ("payments_cardattempt", "key"), ("plans_contract", "id"), ("rating_charge", "id"),
        ("routing_route", "id"),
    }  # fmt: skip


def test_another_msps_ids_are_as_good_as_none(more, acme, northwind, fabrikam, monkeypatch):
    mine, theirs = strangers.ids_in(contexts.msp(fabrikam)), strangers.ids_in(contexts.msp(northwind))
    browser, secrets = client_of(member(fabrikam, "owner"), fabrikam), [b"acme", b"northwind", NUMBER]
    stranger = Stranger(browser, "msp", mine, theirs, secrets, acme, monkeypatch)

    assert stranger.pry() == []
    assert stranger.tried >= SHARED | {
        ("carriers_trunk", "id"), ("delivery_endpoint", "id"), ("inventory_stocknumber", "id"), ("plans_plan", "id"),
        ("payments_bankentry", "id"), ("rating_ratedeck", "id"), ("receivables_invoice", "id"),
        ("receivables_invoicerun", "id"), ("receivables_legalentity", "id"), ("tenants_customer", "id"),
    }  # fmt: skip


def test_what_a_stranger_is_shown_is_noticed(more, acme, alice, monkeypatch):
    """Alice takes her own company's things for somebody else's."""
    theirs = strangers.ids_in(contexts.customer(acme))
    stranger = Stranger(client_of(alice, acme), "customer", {}, theirs, [NUMBER], acme, monkeypatch)

    stranger.pry(["calls/<uuid:pk>/", "jobs/<uuid:pk>/", "api/v1/people/<int:pk>/"])

    found = {(method, template) for method, template, *_rest in stranger.wrong}
    assert found >= {
        ("get", "calls/<uuid:pk>/"), ("get", "jobs/<uuid:pk>/"), ("delete", "api/v1/people/<int:pk>/"),
    }  # fmt: skip
