"""The operator's desk for taxes: everybody's rules, added and compared with their sources, and who sees what of it."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from portal.core.models import AuditEntry
from portal.db import contexts
from voice.receivables.models import TaxCheck, TaxRule
from voice.receivables.services import add_rule, check_rule
from voice.receivables.tests import make

pytestmark = pytest.mark.django_db
RULE = {"country": "US", "area": "NY", "tax": "sales", "name": "State sales tax", "per_million": "4",
        "begins": "2026-01-01", "source": "Tax Law § 1105"}  # fmt: skip


@pytest.fixture
def desk(client_of, operator):
    return client_of(operator, None)


def german():
    return TaxRule.objects.get(country="DE", tax="vat", begins=date(2021, 1, 1))


def test_the_operator_adds_a_rule_for_everybody_and_notes_that_it_was_checked(desk, client_of, nadia, northwind):
    refused = desk.post("/taxes/new/", RULE | {"source": ""})
    assert refused.status_code == 200 and "State sales tax" in refused.content.decode()
    added = desk.post("/taxes/new/", RULE)
    with contexts.public():
        rule = TaxRule.objects.get(country="US", area="NY")
        assert (rule.msp_id, rule.per_million) == (None, 40_000)
    assert added["Location"] == f"/taxes/{rule.pk}/"
    assert "Nobody has yet" in desk.get(f"/taxes/{rule.pk}/").content.decode()

    wrong = desk.post(f"/taxes/{rule.pk}/check/", {"outcome": "wrong", "checked_on": "2026-11-02", "page": "ftp://x"})
    shown = wrong.content.decode()
    assert "Write the whole address" in shown and "Say in the note" in shown
    noted = {"outcome": "right", "checked_on": "2026-11-02", "page": "https://www.tax.ny.gov/pubs_and_bulls/"}
    assert desk.post(f"/taxes/{rule.pk}/check/", noted).status_code == 302
    shown = desk.get(f"/taxes/{rule.pk}/").content.decode()
    assert "https://www.tax.ny.gov" in shown and "operator@strowger.example" in shown

    assert "Checked" in desk.get(f"/objects/tax-rules/{rule.pk}/history/").content.decode()
    office = client_of(nadia, northwind)
    shown = office.get("/invoices/taxes/?country=US&area=NY").content.decode()
    assert "Checked 2 Nov 2026" in shown and "operator@" not in shown
    (read,) = [each for each in office.get("/api/v1/tax-rules/?country=US").json()["results"] if each["area"] == "NY"]
    assert (read["checked_on"], read["outcome"]) == ("2026-11-02", "right")


def test_the_list_is_narrowed_by_country_state_class_and_check_and_exported(desk):
    with contexts.public():
        rule = german()
        check_rule(TaxCheck(rule=rule, outcome="right", checked_on=date(2026, 1, 2)), by=make.BY)
        check_rule(TaxCheck(rule=rule, outcome="wrong", checked_on=date(2026, 2, 2), note="19.5"), by=make.BY)
        add_rule(TaxRule(**RULE | {"per_million": 40_000, "begins": date(2026, 1, 1)}), by=make.BY)

    def found(query):
        return desk.get(f"/taxes/?{query}&export=csv").content.decode()

    assert "UStG" in found("country=DE") and "ZDDS" not in found("country=DE")
    assert "Tax Law" in found("area=ny") and "UStG" not in found("area=ny")
    assert "UStG" in found("class=telecom") and "ZDDS" not in found("class=telecom")
    # The newest check is the one that counts.
    assert found("checked=wrong").count("\n") == 2 and "Found wrong 2 Feb 2026" in found("checked=wrong")
    assert found("checked=right").count("\n") == 1
    assert "nothing" in desk.get("/taxes/?q=nowhere").content.decode().lower()
    ended = desk.get("/taxes/?country=CH&state=ended").content.decode()
    assert '<span class="day">1 Jan 2018</span> – <span class="day">1 Jan 2024</span>' in ended


def test_a_program_does_the_same(desk):
    told = RULE | {"per_million": 40_000}
    made = desk.post("/api/v1/tax-rules/", told, content_type="application/json")
    assert made.status_code == 201
    address = f"/api/v1/tax-rules/{made.json()['id']}/"
    late = {"outcome": "right", "checked_on": str(timezone.localdate() + timedelta(days=1))}
    assert desk.post(f"{address}check/", late, content_type="application/json").status_code == 400
    noted = desk.post(f"{address}check/", late | {"checked_on": "2026-01-02"}, content_type="application/json")
    assert noted.json()["checked_by"] == "operator@strowger.example"
    assert [each["checked_on"] for each in desk.get(address).json()["checks"]] == ["2026-01-02"]
    assert desk.delete(address).status_code == 405
    with contexts.public():
        assert AuditEntry.objects.filter(verb="tax_rule.checked").count() == 1


def test_nobody_else_notes_checks_and_none_is_changed(northwind, acme):
    with contexts.public():
        check_rule(TaxCheck(rule=german(), checked_on=date(2026, 1, 2)), by=make.BY)
        with pytest.raises(ProgrammingError), transaction.atomic():
            TaxCheck.objects.update(outcome="wrong", note="x")
    with contexts.msp(northwind):
        assert TaxCheck.objects.count() == 1
        with pytest.raises(ProgrammingError), transaction.atomic():
            check_rule(TaxCheck(rule=german(), checked_on=date(2026, 1, 2)), by=make.BY)
        own = add_rule(TaxRule(msp=northwind, **RULE | {"per_million": 1, "begins": date(2026, 1, 1)}), by=make.BY)
        with pytest.raises(ValidationError, match="for everybody"):
            check_rule(TaxCheck(rule=own, checked_on=date(2026, 1, 2)), by=make.BY)
    with contexts.customer(acme):
        assert not TaxCheck.objects.exists()
