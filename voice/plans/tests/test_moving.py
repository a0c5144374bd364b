"""Many contracts that go over to another version of their plan: who does, who does not and why, in service and page."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from portal.core.models import AuditEntry, Job
from portal.db import contexts
from voice.plans import moving, ordering
from voice.plans.models import Phase
from voice.plans.tests import make
from voice.plans.tests.make import EUR

pytestmark = pytest.mark.django_db
ON = date(2027, 2, 1)
FEE = {"kind": "monthly", "name": "Fee", "amount": 10 * EUR}


@pytest.fixture
def versions(northwind, office):
    """The first version of a plan, and the second, which may be sold from 2027 on."""
    old = make.published(northwind, FEE)
    return old, make.published(northwind, FEE | {"amount": 12 * EUR}, since=date(2027, 1, 1))


def moved(version, contracts, on=ON):
    return moving.move(version, on, [each.pk for each in contracts], by=make.BY, progress=lambda *_args: None)


def held(contract, day=ON):
    return Phase.objects.filter(contract=contract, begins__lte=day).order_by("begins").last().version.number


def why_not(version, contract, on=ON):
    (judged,) = moving.judge(version, on, [contract.pk])
    return judged.why


def test_contracts_go_over_and_who_does_not_is_named(northwind, office, globex, versions):
    old, new = versions
    other = make.published(northwind, FEE, name="Other")
    first, second = make.contract(office, old), make.contract(globex, old)
    ordering.change_plan(second, other, on=date(2027, 3, 1), by=make.BY)
    assert {each.pk for each in moving.movable(new, ON)} == {first.pk, second.pk}
    done = moved(new, [first, second])

    assert done == {"moved": [first.pk], "skipped": [(second.pk, "Another change is planned for 1 Mar 2027: Other.")]}
    assert (held(first), held(first, date(2027, 1, 31)), held(second)) == (2, 1, 1)
    assert held(second, date(2027, 3, 1)) == 1 and list(moving.movable(new, ON)) == [second]
    told = AuditEntry.objects.get(verb="plan.contracts_moved")
    assert told.object_id == str(new.plan_id)
    # Done again, nothing happens twice.
    assert moved(new, [first])["skipped"] == [(first.pk, "It has this version already.")]


def test_what_keeps_a_contract_from_going_over(northwind, office, versions, initech):
    old, new = versions
    contract = make.contract(office, old, starts=ON)
    assert why_not(new, contract) == "A change comes after the contract's first day."
    assert why_not(new, contract, date(2027, 1, 1)) == "The contract does not run on 1 Jan 2027."
    later = date(2027, 2, 15)
    assert why_not(make.published(northwind, FEE, name="Other"), contract, later).startswith("It has another plan")
    assert why_not(new, contract, later) == ""
    ordering.keep_draws(office, ON, date(2027, 3, 1), (), "2027-00001")
    assert "are billed" in why_not(new, contract, later)
    with contexts.msp(initech.msp):
        assert moving.judge(new, later, [contract.pk]) == []


def test_a_version_that_is_not_to_be_had_moves_nobody(office, versions):
    old, new = versions
    contract = make.contract(office, old)
    for day, chosen, words in ((date(2026, 12, 31), [contract.pk], "may be sold from"), (ON, [], "at least one")):
        with pytest.raises(ValidationError, match=words):
            moving.start(new, day, chosen, by=make.BY)


def test_from_the_plan_to_what_came_of_it(
    client_of, nadia, northwind, office, versions, django_capture_on_commit_callbacks
):
    old, new = versions
    contract = make.contract(office, old)
    contexts.use_public()
    desk = client_of(nadia, northwind)

    def text(answer):
        assert answer.status_code == 200
        return answer.content.decode()

    listed = f"/plans/versions/{new.pk}/contracts/"
    assert listed in text(desk.get(f"/plans/{new.plan_id}/"))
    assert "Acme" in text(desk.get(listed)) and "Acme" not in text(desk.get(f"{listed}?q=nobody"))
    go = f"/plans/versions/{new.pk}/move/"
    assert desk.post(go, {})["Location"] == listed
    chosen = {"pick": contract.pk}
    assert "may be sold from" in text(desk.post(go, chosen | {"on": "2026-12-31", "then": "move"}))
    looked = text(desk.post(go, chosen | {"on": "2026-01-01", "then": "look"}))
    assert "A change comes after" in looked and not Job.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):
        page = desk.post(go, {"every": "1", "query": "", "on": "2027-02-01", "then": "move"})["Location"]
    assert "Gone over" in text(desk.get(page)) and "Acme" in text(desk.get(page))
    assert desk.get(f"/plans/of/{office.pk}/")["Location"] == f"/plans/contracts/{contract.pk}/"

    path = f"/api/v1/plan-versions/{old.pk}/"
    assert desk.get(f"{path}movable/?on=2027-03-01").json() == [{"contract": contract.pk, "why_not": ""}]
    with django_capture_on_commit_callbacks(execute=True):
        made = desk.post(f"{path}move-contracts/", {"on": "2027-03-01"}, content_type="application/json")
    assert made.status_code == 202
    with contexts.msp(northwind):
        assert Job.objects.get(pk=made.json()["job"]).result["moved"] == [contract.pk]
