from django.db import connection
from django.test.utils import CaptureQueriesContext

from portal.db import contexts
from portal.ui.cursor import ordered
from voice.directory.models import Person
from voice.directory.tests.make import berlin
from voice.numbers import selectors
from voice.numbers.models import Number
from voice.numbers.tests.make import given


def test_a_first_page_is_worded_once_and_shows_each_customer_its_own(acme, globex, alice, mallory, nadia, client_of):
    given(acme, nadia, "+49301234500", "+49301234501")
    given(globex, nadia, "+12065550100", country="US")
    with contexts.customer(acme):
        place = berlin(alice)
        person = Person.objects.create(name="Ada")
        Number.objects.filter(e164="+49301234501").update(place=place, person=person)
    ours, theirs = client_of(alice, acme), client_of(mallory, globex)

    for column in ("e164", "state", "label", "person__name"):
        for sort in (column, f"-{column}"):
            shown = [browser.get("/numbers/", {"sort": sort}).context["list"].page.rows for browser in (ours, theirs)]
            with contexts.customer(acme):
                assert shown[0] == list(ordered(selectors.numbers(), column, "pk", sort != column)), sort
            assert [row.e164 for row in shown[1]] == ["+12065550100"]
            with CaptureQueriesContext(connection) as queries:
                located = next(row for row in shown[0] if row.place)
                assert (located.place.address.city, located.person.name) == (place.address.city, "Ada")
            assert not queries
