"""The filters of the API's lists: each is described, and refuses what it does not understand."""

import pytest
from django.core.cache import cache
from drf_spectacular.generators import SchemaGenerator

from portal.core.api_filters import Choice, Day, Moment, Number
from tenants.tests.clients import client_of
from tests import walk
from tests.test_walk import member

pytestmark = pytest.mark.django_db
NONSENSE = {
    Number: ("x", "-1", "9" * 19, "9" * 5_000),
    Choice: ("no such word",),
    Day: ("yesterday",),
    Moment: ("now",),
}


def lists(place):
    """Return the lists of a place that can be narrowed, each with its path."""
    leaves = [
        leaf for leaf in walk.leaves(place) if leaf.is_api and getattr(leaf.view, "actions", {}).get("get") == "list"
    ]
    return [("/" + leaf.template, leaf.view.cls.filters) for leaf in leaves if getattr(leaf.view.cls, "filters", {})]


@pytest.mark.parametrize("place", walk.PLACES)
def test_every_filter_stands_in_the_description_of_its_list(place):
    described = SchemaGenerator(urlconf=f"portal.urls_{place}").get_schema(public=True)["paths"]

    assert lists(place)
    for path, filters in lists(place):
        told = {one["name"]: one["schema"] for one in described[path]["get"]["parameters"] if one["in"] == "query"}
        assert {name: told.get(name) for name in filters} == {name: each.schema() for name, each in filters.items()}


@pytest.mark.parametrize("place", walk.PLACES)
def test_what_a_filter_does_not_understand_is_refused_and_never_passed_over(place, acme, northwind, operator):
    where, role = {"customer": (acme, "admin"), "msp": (northwind, "owner"), "operator": (None, "")}[place]
    browser = client_of(member(where, role) if where else operator, where)
    for path, filters in lists(place):
        for name, each in filters.items():
            for nonsense in next((words for kind, words in NONSENSE.items() if isinstance(each, kind)), ()):
                cache.clear()
                answer = browser.get(path, {name: nonsense})
                assert (answer.status_code, [*answer.json().get("errors", {})]) == (400, [name]), (path, name)
            assert browser.get(path, {name: ""}).status_code == 200
