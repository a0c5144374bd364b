"""The pages and the API of rating again: propose, look, open a call, apply; costs for those who may see them."""

import json
import re
from datetime import timedelta

import pytest
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.core.models import Job, JobFile
from portal.db import contexts
from tenants.models import Membership, User
from tenants.tests.clients import client_of
from voice.carriers.models import Trunk
from voice.rating.tests.make import ask, give, stored_deck, stored_rate
from voice.rerating import services, tasks
from voice.rerating.models import Adjustment, Proposal, ProposalSum
from voice.rerating.tests.make import JULY, JUNE, calls, proposed, quiet

BY = Actor(email="nadia@northwind.example")


@pytest.fixture
def found(northwind, acme):
    """A month of Acme's calls, rated again on both sides by decks with other prices."""
    with contexts.msp(northwind):
        trunk = Trunk.objects.create(msp=northwind, name="Carrier A", host="192.0.2.1")
        sell, cheaper = stored_deck(northwind), stored_deck(northwind, "Cheaper")
        stored_rate(sell, "44", 70_000, destination="United Kingdom")
        stored_rate(cheaper, "44", 50_000, destination="United Kingdom")
        buy, dearer = stored_deck(northwind, "Carrier A", "buy"), stored_deck(northwind, "Carrier B", "buy")
        stored_rate(buy, "44", 30_000)
        stored_rate(dearer, "44", 31_234)
        give(sell, acme)
        ask(buy, trunk.pk)
    calls(acme, 2, egress=trunk.gateway)
    return proposed(northwind, BY, sell_deck=cheaper, buy=True, buy_deck=dearer, trunks=[trunk.pk])


def supporter(msp):
    user = User.objects.create_user("sue@northwind.example", "x", name="Sue")
    with contexts.msp(msp):
        Membership(user=user, msp=msp, role="support").save()
    return user


def test_a_clerk_proposes_looks_and_applies(northwind, acme, nadia, found):
    browser = client_of(nadia, northwind)
    with contexts.msp(northwind):
        line = ProposalSum.objects.get(proposal=found, side="sell")

    whole = browser.get(f"/rerating/{found.pk}/").content.decode()
    behind = browser.get(f"/rerating/{found.pk}/lines/{line.number}/")
    one = re.search(rf"/rerating/{found.pk}/lines/{line.number}/[0-9a-f-]{{36}}/", behind.content.decode())[0]
    both = browser.get(one).content.decode()

    assert "−€0.04" in whole or "-€0.04" in whole
    assert "What was posted" in both and "€0.07 a minute" in both and "€0.05 a minute" in both
    refused = browser.post(f"/rerating/{found.pk}/apply/", {"round": "1", "reason": " "}).content.decode()
    assert "This field is required" in refused
    assert browser.post(f"/rerating/{found.pk}/apply/", {"round": "1", "reason": "Agreed"}).status_code == 302
    with contexts.msp(northwind):
        services.apply(found, by=BY)
        assert Adjustment.objects.count() == 2 and Proposal.objects.get().reason == "Agreed"
    for path in ("/rerating/", f"/rerating/{found.pk}/", f"/rerating/{found.pk}/?export=csv", "/rerating/decisions/"):
        assert browser.get(path).status_code == 200


def test_the_page_claims_no_result_while_calls_are_rated_and_is_drawn_anew_at_the_end(northwind, nadia, found):
    with contexts.msp(northwind):
        # By the decks that priced them: no call comes to anything else.
        asked = services.propose(Proposal(msp=northwind, begins=JUNE, ends=JULY), by=BY)
    browser, path = client_of(nadia, northwind), f"/rerating/{asked.pk}/"
    polled = {"HX-Request": "true", "HX-Target": "work"}

    shown = browser.get(path, headers=polled)
    assert "Nothing to see yet" in shown.content.decode() and "No call comes to anything" not in shown.content.decode()
    assert "HX-Refresh" not in shown
    with contexts.msp(northwind):
        services.rate(asked, quiet)

    assert browser.get(path, headers=polled)["HX-Refresh"] == "true"
    assert "No call comes to anything else" in browser.get(path).content.decode()


@pytest.mark.parametrize("state", ["rating", "applying"])
def test_work_whose_worker_was_killed_is_begun_anew(northwind, nadia, found, state):
    browser, path = client_of(nadia, northwind), f"/rerating/{found.pk}/"
    with contexts.msp(northwind):
        Proposal.objects.filter(pk=found.pk).update(state=state)
        assert "Rate the calls anew" not in browser.get(path).content.decode()
        Job.objects.filter(pk=found.job_id).update(updated_at=now() - timedelta(minutes=6))

    assert "Rate the calls anew" in browser.get(path).content.decode()
    assert browser.post(f"{path}again/").status_code == 302
    with contexts.msp(northwind):
        stored = services.rate(Proposal.objects.get(pk=found.pk), quiet)
        assert (stored.state, stored.round) == ("ready", 2) and not Adjustment.objects.exists()


def test_a_new_proposal_is_asked_for_by_its_form(northwind, acme, nadia, found):
    browser = client_of(nadia, northwind)
    facts = {"first": "2026-06-01", "last": "2026-06-30", "sell": "on", "customers": [acme.pk], "note": "Late list"}

    wrong = browser.post("/rerating/new/", facts | {"first": "2026-07-02"}).content.decode()
    none = browser.post("/rerating/new/", {**facts, "sell": ""}).content.decode()
    good = browser.post("/rerating/new/", facts)

    assert "ends before it begins" in wrong and "Late list" in wrong and "Choose what to rate" in none
    assert good.status_code == 302
    with contexts.msp(northwind):
        made = Proposal.objects.order_by("pk").last()
        assert (str(made.begins)[:10], str(made.ends)[:10], made.customers) == ("2026-06-01", "2026-07-01", [acme.pk])
        assert Job.objects.filter(kind="rerating.rate", params__proposal=made.pk).count() == 1


def test_support_sees_what_customers_pay_and_no_costs(northwind, acme, found):
    browser = client_of(supporter(northwind), northwind)
    with contexts.msp(northwind):
        line = ProposalSum.objects.get(proposal=found, side="buy")

    pages = ["/rerating/", f"/rerating/{found.pk}/", f"/rerating/{found.pk}/?export=csv", "/api/v1/proposals/",
             f"/api/v1/proposals/{found.pk}/", f"/api/v1/proposals/{found.pk}/lines/"]  # fmt: skip
    texts = [browser.get(page).content.decode() for page in pages]

    # By themselves: the digits of an id, a token or a fraction of a second may be the same by chance.
    costs = re.compile(r"(?<![\w.-])(?:31234|62468|2468|0\.0312\d*|0\.0624\d*)(?![\w-])")
    assert [costs.findall(text) for text in texts] == [[]] * len(texts)
    assert browser.get(f"/rerating/{found.pk}/lines/{line.number}/").status_code == 404
    assert browser.post(f"/rerating/{found.pk}/apply/", {"round": "1", "reason": "x"}).status_code == 403


def test_a_program_does_the_same(northwind, acme, nadia, found):
    browser = client_of(nadia, northwind)

    def post(path, body):
        return browser.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json")

    made = post("proposals/", {"begins": "2026-06-01T00:00:00Z", "ends": "2026-07-01T00:00:00Z", "note": "by API"})
    lines = browser.get(f"/api/v1/proposals/{found.pk}/lines/").json()["results"]
    late = post(f"proposals/{found.pk}/apply/", {"round": 7, "reason": "x"})
    done = post(f"proposals/{found.pk}/apply/", {"round": 1, "reason": "Agreed"})
    over = post(f"proposals/{made.json()['id']}/discard/", {})
    decided = post("decisions/", {"calls": [], "kind": "free", "reason": ""})

    assert made.status_code == 201 and {line["side"] for line in lines} == {"sell", "buy"}
    assert (late.status_code, done.status_code, over.json()["state"]) == (400, 202, "discarded")
    assert decided.status_code == 400 and browser.get("/api/v1/decisions/").json()["results"] == []


def test_an_export_has_what_its_reader_saw(northwind, found):
    with contexts.msp(northwind):
        for costs, lines in ((True, 3), (False, 2)):
            params = {"query": "", "proposal": found.pk, "costs": costs}
            job = Job.objects.create(kind="rerating.export", msp_id=northwind.pk, params=params, actor={})
            tasks.export(job, quiet)
            text = bytes(JobFile.objects.get(job=job).content).decode()
            assert len(text.strip().splitlines()) == lines and ("Carrier A" in text) is costs
