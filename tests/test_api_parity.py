"""What the portal changes, a program can change: each page with the call that does the same, at the same price."""

import pytest

from tests import walk

# Shared by places where nobody may: there is no brand to change, and a held change is not for customers to release.
ELSEWHERE = {
    "operator": {"brand/"},
    "customer": {"brand/", "rollout/<int:pk>/approve/", "rollout/<int:pk>/retry/"},
}
CALLS = {
    "operator": {
        "msps/new/": "post msps/",
        "msps/<int:pk>/suspend/": "post msps/<int:pk>/suspend/",
        "msps/<int:pk>/resume/": "post msps/<int:pk>/resume/",
        "msps/<int:pk>/invite/": "post msps/<int:pk>/invite-owner/",
        "msps/<int:pk>/base-domains/new/": "post base-domains/",
        "msps/<int:pk>/base-domains/<int:base>/names/": "post base-domains/<int:pk>/give-names/",
        "retention/new/": "post retention-rules/",
        "retention/<int:pk>/": "patch retention-rules/<int:pk>/",
        "retention/<int:pk>/remove/": "delete retention-rules/<int:pk>/",
        "retention/erase/": "post erasures/",
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
        "health/records/<int:pk>/try/": "post quarantined-records/<int:pk>/try-again/",
        "health/records/<int:pk>/aside/": "post quarantined-records/<int:pk>/set-aside/",
        "rollout/<int:pk>/approve/": "post deployments/<int:pk>/approve/",
        "rollout/<int:pk>/retry/": "post deployments/<int:pk>/try-again/",
    },
    "msp": {
        "brand/": "patch brand/<int:pk>/",
        "customers/new/": "post customers/",
        "customers/<int:pk>/edit/": "patch customers/<int:pk>/",
        "customers/<int:pk>/suspend/": "post customers/<int:pk>/suspend/",
        "customers/<int:pk>/resume/": "post customers/<int:pk>/resume/",
        "customers/<int:pk>/close/": "post customers/<int:pk>/close/",
        "customers/<int:pk>/invite/": "post customers/<int:pk>/invite/",
        "retention/holds/new/": "post legal-holds/",
        "retention/holds/<int:pk>/release/": "post legal-holds/<int:pk>/release/",
        "domains/base/<int:pk>/names/": "post base-domains/<int:pk>/give-names/",
        "domains/hosts/new/": "post hosts/",
        "domains/hosts/<int:pk>/check/": "post hosts/<int:pk>/check/",
        "domains/hosts/<int:pk>/links/": "post hosts/<int:pk>/use-in-links/",
        "domains/hosts/<int:pk>/remove/": "delete hosts/<int:pk>/",
        "numbers/import/": "post imports/",
        "numbers/import/<int:pk>/confirm/": "post imports/<int:pk>/confirm/",
        "numbers/import/<int:pk>/cancel/": "post imports/<int:pk>/cancel/",
        "numbers/reserve/": "post stock-numbers/reserve/",
        "numbers/unreserve/": "post stock-numbers/unreserve/",
        "numbers/close/": "post stock-numbers/close/",
        "numbers/allocate/": "post allocations/",
        "numbers/release/": "post allocations/release/",
        "numbers/move/": "post allocations/move/",
        "carriers/new/": "post carriers/",
        "carriers/<int:pk>/": "patch carriers/<int:pk>/",
        "carriers/<int:pk>/delete/": "delete carriers/<int:pk>/",
        "carriers/trunks/new/": "post trunks/",
        "carriers/trunks/<int:pk>/edit/": "patch trunks/<int:pk>/",
        "carriers/trunks/<int:pk>/close/": "delete trunks/<int:pk>/",
        "carriers/trunks/<int:pk>/customers/": "post trunks/<int:pk>/grant/",
        "carriers/trunks/<int:pk>/customers/<int:customer>/revoke/": "post trunks/<int:pk>/revoke/",
        "carriers/trunks/<int:pk>/approve/": "post trunks/<int:pk>/approve/",
        "carriers/block-list/new/": "post blocked-prefixes/",
        "carriers/block-list/<int:pk>/delete/": "delete blocked-prefixes/<int:pk>/",
        "carriers/emergency/<str:country>/": "post emergency-trunks/",
        "unrated/again/": "post unrated-calls/price-again/",
        "team/invite/": "post invitations/",
        "team/<int:pk>/role/": "patch team/<int:pk>/",
        "team/<int:pk>/remove/": "delete team/<int:pk>/",
        "team/invitations/<int:pk>/again/": "post invitations/<int:pk>/send-again/",
        "team/invitations/<int:pk>/revoke/": "delete invitations/<int:pk>/",
        "invoices/new/": "post invoices/",
        "invoices/<int:pk>/approve/": "post invoices/<int:pk>/approve/",
        "invoices/<int:pk>/reopen/": "post invoices/<int:pk>/reopen/",
        "invoices/<int:pk>/issue/": "post invoices/<int:pk>/issue/",
        "invoices/<int:pk>/drop/": "delete invoices/<int:pk>/",
        "invoices/<int:pk>/credit/": "post invoices/<int:pk>/credit/",
        "invoices/payments/new/": "post payments/",
        "invoices/companies/new/": "post legal-entities/",
        "invoices/companies/<int:pk>/": "patch legal-entities/<int:pk>/",
        "tokens/new/": "post tokens/",
        "tokens/<int:pk>/revoke/": "delete tokens/<int:pk>/",
        "rollout/<int:pk>/approve/": "post deployments/<int:pk>/approve/",
        "rollout/<int:pk>/retry/": "post deployments/<int:pk>/try-again/",
    },
    "customer": {
        "settings/privacy/": "patch company/<int:pk>/",
        "numbers/<int:pk>/activate/": "post numbers/<int:pk>/activate/",
        "numbers/<int:pk>/suspend/": "post numbers/<int:pk>/suspend/",
        "numbers/<int:pk>/deactivate/": "post numbers/<int:pk>/deactivate/",
        "numbers/activate/": "post numbers/<int:pk>/activate/",
        "numbers/suspend/": "post numbers/<int:pk>/suspend/",
        "numbers/deactivate/": "post numbers/<int:pk>/deactivate/",
        "numbers/location/": "patch numbers/<int:pk>/",
        "numbers/caller-ids/new/": "post caller-ids/",
        "numbers/caller-ids/<int:pk>/": "patch caller-ids/<int:pk>/",
        "numbers/caller-ids/<int:pk>/delete/": "delete caller-ids/<int:pk>/",
        "numbers/caller-ids/policy/": "put caller-ids/policy/",
        "people/new/": "post people/",
        "people/<int:pk>/": "patch people/<int:pk>/",
        "people/<int:pk>/remove/": "delete people/<int:pk>/",
        "people/sites/new/": "post sites/",
        "people/sites/<int:pk>/": "patch sites/<int:pk>/",
        "people/sites/<int:pk>/remove/": "delete sites/<int:pk>/",
        "people/addresses/new/": "post addresses/",
        "people/addresses/<int:pk>/edit/": "patch addresses/<int:pk>/",
        "people/addresses/<int:pk>/remove/": "delete addresses/<int:pk>/",
        "people/places/new/": "post places/",
        "people/places/<int:pk>/": "patch places/<int:pk>/",
        "people/places/<int:pk>/remove/": "delete places/<int:pk>/",
        "people/addresses/<int:pk>/validate/": "post addresses/<int:pk>/validate/",
        "routing/order/": "post routes/order/",
        "routing/new/": "post routes/",
        "routing/<int:pk>/": "patch routes/<int:pk>/",
        "routing/<int:pk>/delete/": "delete routes/<int:pk>/",
        "routing/<int:pk>/move/": "post routes/order/",
        "routing/everything-else/": "patch routes/<int:pk>/",
        "routing/hours/new/": "post schedules/",
        "routing/hours/<int:pk>/": "patch schedules/<int:pk>/",
        "routing/hours/<int:pk>/delete/": "delete schedules/<int:pk>/",
        "trunks/new/": "post trunks/",
        "trunks/<int:pk>/edit/": "patch trunks/<int:pk>/",
        "trunks/<int:pk>/close/": "delete trunks/<int:pk>/",
        "emergency/trunks/": "post emergency/",
        "team/invite/": "post invitations/",
        "team/<int:pk>/role/": "patch team/<int:pk>/",
        "team/<int:pk>/remove/": "delete team/<int:pk>/",
        "team/invitations/<int:pk>/again/": "post invitations/<int:pk>/send-again/",
        "team/invitations/<int:pk>/revoke/": "delete invitations/<int:pk>/",
        "tokens/new/": "post tokens/",
        "tokens/<int:pk>/revoke/": "delete tokens/<int:pk>/",
    },
}


@pytest.mark.parametrize("place", CALLS)
def test_every_page_that_changes_something_has_its_call_at_the_same_price(place):
    leaves = walk.leaves(place)
    pages = {leaf.template: leaf.demand("post") for leaf in leaves if not leaf.is_api}
    calls = {
        f"{method} {leaf.template.removeprefix('api/v1/')}": leaf.demand(method)
        for leaf in leaves
        if leaf.is_api
        for method in leaf.methods
    }
    changing = {page for page, demand in pages.items() if demand and demand.endswith(".change")}

    assert changing - ELSEWHERE.get(place, set()) == CALLS[place].keys()
    assert {page: pages[page] for page in CALLS[place]} == {
        page: calls.get(call) for page, call in CALLS[place].items()
    }
