"""What somebody confirms on a page is what the page asked about: what others saved meanwhile does not go with it."""

import re
from html import unescape

import pytest
from django.core.cache import cache

from tenants.tests.clients import client_of
from tests import walk
from tests.test_api_versions import add, some_of
from tests.test_walk import member, undone

pytestmark = pytest.mark.django_db
ASKING = {"close", "delete", "drop", "issue", "publish", "remove", "secret"}
SEEN = re.compile(r'name="row_version" value="(\d+)"')
TYPED = re.compile(r"Type <strong>(.*?)</strong> to confirm")
TOLD = re.compile("as it is now|as they are now")
# Nobody changes a quote by entries that could be lost; a customer's version counts all that its SBCs get.
WITHOUT = {"plans/quotes/<int:pk>/remove/", "customers/<int:pk>/close/"}
# The demo has none of these.
ABSENT = {
    "certificates/<int:pk>/remove/", "domains/hosts/<int:pk>/remove/", "invoices/runs/<int:pk>/issue/",
    "margin/carrier-invoices/<int:pk>/remove/", "invoices/payments/reminders/<int:pk>/drop/",
    "bills/cards/<int:pk>/remove/",
}  # fmt: skip


def asking(kind):
    """Return the pages that ask before they do something to one thing."""
    found = [leaf for leaf in walk.leaves(kind) if not leaf.is_api and leaf.template.count("<") == 1]
    return [leaf for leaf in found if leaf.template.split("/")[-2] in ASKING and leaf.template not in WITHOUT]


def ids_at(browser, kind):
    """Return the ids of some of what the place has, by its API, the newest first."""
    lists = [
        leaf for leaf in walk.leaves(kind) if leaf.is_api and leaf.name.endswith("-list") and "get" in leaf.methods
    ]
    cache.clear()
    rows = [row for leaf in lists for row in some_of(browser, leaf.template)]
    return sorted({row["id"] for row in rows if isinstance(row.get("id"), int)}, reverse=True)


def first_question(browser, leaf, ids):
    for path in leaf.paths(ids):
        cache.clear()
        answer = browser.get(path)
        if answer.status_code == 200 and b'id="confirm"' in answer.content:
            return path, answer.content.decode()
    return None


@pytest.mark.parametrize("kind", walk.PLACES)
def test_what_was_changed_since_a_page_asked_stays(world, kind, acme, northwind, operator):
    place, role = {"customer": (acme, "admin"), "msp": (northwind, "owner"), "operator": (None, "")}[kind]
    browser = client_of(member(place, role) if place else operator, place)
    add(browser, kind)
    ids, silent, unknown = ids_at(browser, kind), [], []
    for leaf in asking(kind):
        asked = first_question(browser, leaf, ids)
        if asked is None:
            unknown.append(leaf.template)
            continue
        path, page = asked
        seen, typed = SEEN.search(page), TYPED.search(page)
        facts = {"confirmed": "1", "row_version": int(seen[1]) + 7 if seen else "", "typed": ""}
        facts["typed"] = unescape(typed[1]) if typed else ""
        with undone():
            answer = browser.post(path, facts, follow=True)
        if not TOLD.search(answer.content.decode()):
            silent.append(leaf.template)
    assert silent == []
    assert set(unknown) <= ABSENT
