"""The API's description is made without guessing: every path and field has a type."""

import pytest
from django.core.cache import cache
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

from tenants.tests.clients import client_of
from tests import walk
from tests.test_walk import ask, member

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("place", ["operator", "msp", "customer"])
def test_nothing_is_guessed(place, capfd):
    GENERATOR_STATS.reset()

    SchemaGenerator(urlconf=f"portal.urls_{place}").get_schema(public=True)

    assert not GENERATOR_STATS, capfd.readouterr().err


@pytest.mark.parametrize("place", ["operator", "msp", "customer"])
def test_every_action_says_what_it_takes_and_gives(place):
    """What says nothing would be described by the shape of the object that it acts on."""
    views = {
        leaf.view.cls for leaf in walk.leaves(place) if hasattr(getattr(leaf.view, "cls", None), "get_extra_actions")
    }
    actions = {
        (view.__name__, each.__name__, "schema" in each.kwargs) for view in views for each in view.get_extra_actions()
    }

    assert {(view, name) for view, name, is_described in actions if not is_described} == set()


@pytest.mark.parametrize("place", ["operator", "msp", "customer"])
def test_no_way_to_make_something_is_described_that_is_always_refused(place, acme, northwind, operator):
    where, role = {"customer": (acme, "admin"), "msp": (northwind, "owner"), "operator": (None, "")}[place]
    browser = client_of(member(where, role) if where else operator, where)
    described = SchemaGenerator(urlconf=f"portal.urls_{place}").get_schema(public=True)["paths"]

    refused = []
    for path, item in described.items():
        if "post" in item and "{" not in path:
            cache.clear()
            refused += [path] if ask(browser, "post", path).status_code == 405 else []
    assert refused == []
