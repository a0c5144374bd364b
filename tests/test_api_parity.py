"""What the operator's console changes, a program can change: each page with the call that does the same."""

import pytest

from tests import walk

# Shared by every place; at the operator's there is no brand and the page answers 404.
ELSEWHERE = {"brand/"}
CALLS = {
    "msps/new/": "post msps/",
    "msps/<int:pk>/suspend/": "post msps/<int:pk>/suspend/",
    "msps/<int:pk>/resume/": "post msps/<int:pk>/resume/",
    "msps/<int:pk>/invite/": "post msps/<int:pk>/invite-owner/",
    "msps/<int:pk>/base-domains/new/": "post base-domains/",
    "msps/<int:pk>/base-domains/<int:base>/names/": "post base-domains/<int:pk>/give-names/",
    "regions/new/": "post regions/",
    "regions/<int:pk>/": "patch regions/<int:pk>/",
    "tokens/new/": "post tokens/",
    "tokens/<int:pk>/revoke/": "delete tokens/<int:pk>/",
    "nodes/new/": "post nodes/",
    "nodes/<int:pk>/token/": "post nodes/<int:pk>/rotate-token/",
    "nodes/<int:pk>/disable/": "post nodes/<int:pk>/disable/",
    "nodes/<int:pk>/enable/": "post nodes/<int:pk>/enable/",
    "nodes/<int:pk>/restart/": "post nodes/<int:pk>/restart/",
    "certificates/new/": "post certificates/",
    "certificates/<int:pk>/remove/": "delete certificates/<int:pk>/",
    "health/alarms/<int:pk>/settle/": "post alarms/<int:pk>/settle/",
    "quarantine/<int:pk>/try/": "post quarantined-records/<int:pk>/try-again/",
    "quarantine/<int:pk>/aside/": "post quarantined-records/<int:pk>/set-aside/",
    "rollout/<int:pk>/approve/": "post deployments/<int:pk>/approve/",
    "rollout/<int:pk>/retry/": "post deployments/<int:pk>/try-again/",
}


@pytest.fixture(scope="module")
def leaves():
    return walk.leaves("operator")


def test_every_page_that_changes_something_has_its_call_at_the_same_price(leaves):
    pages = {leaf.template: leaf.demand("post") for leaf in leaves if not leaf.is_api}
    calls = {
        f"{method} {leaf.template.removeprefix('api/v1/')}": leaf.demand(method)
        for leaf in leaves
        if leaf.is_api
        for method in leaf.methods
    }
    changing = {page for page, demand in pages.items() if demand and demand.endswith(".change")}

    assert changing - ELSEWHERE == CALLS.keys()
    assert {page: pages[page] for page in CALLS} == {page: calls.get(call) for page, call in CALLS.items()}
