"""Two who change the same member of a team: the first wins, and the second is told."""

from functools import partial

import pytest

from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from tenants import services
from tenants.models import Membership
from tenants.tests.clients import client_of

pytestmark = pytest.mark.django_db
BY = Actor(email="nadia@northwind.example")


def test_of_two_who_change_the_same_member_the_second_is_told(acme, alice, victor):
    first, second = (Membership.objects.get(user=victor) for _who in "ab")
    services.change_role(first, "voice_manager", by=Actor(email=alice.email))

    for write in (partial(services.change_role, role="billing_contact"), services.remove_member):
        with pytest.raises(StaleEdit, match=alice.email):
            write(second, by=BY)
    assert Membership.objects.get(user=victor).role == "voice_manager"
    services.change_role(first, "billing_contact", by=BY)
    services.remove_member(first, by=BY)
    with pytest.raises(StaleEdit):
        services.change_role(second, "viewer", by=BY)


def test_the_page_changes_the_role_that_it_showed(acme, alice, victor):
    browser, member = client_of(alice, acme), Membership.objects.get(user=victor)
    path, shown = f"/team/{member.pk}/role/", {"role": "voice_manager", "row_version": str(member.row_version)}
    form = browser.get("/team/").content.decode().partition(path)[2].partition("</form>")[0]
    assert f'name="row_version" value="{member.row_version}"' in form

    first, second = (browser.post(path, facts, follow=True) for facts in (shown, shown | {"role": "billing_contact"}))

    assert "is now Voice manager" in first.content.decode()
    assert "Look at it as it is now" in second.content.decode()
    assert Membership.objects.get(user=victor).role == "voice_manager"


def test_a_program_changes_the_role_that_it_read(acme, alice, victor):
    browser, pk = client_of(alice, acme), Membership.objects.get(user=victor).pk
    read = browser.get(f"/api/v1/team/{pk}/")
    facts = {"role": "voice_manager", "row_version": read.json()["row_version"]}

    answers = [
        browser.patch(f"/api/v1/team/{pk}/", facts, content_type="application/json", headers=headers).status_code
        for headers in ({"If-Match": read["ETag"]}, {"If-Match": read["ETag"]}, {})
    ]

    assert answers == [200, 412, 409]
