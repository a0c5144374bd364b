"""What the compiler is told, where it is not simply what is stored."""

import pytest

from sbc.facts import customer_facts
from tenants.models import Customer
from voice.numbers.models import Number
from voice.numbers.tests.make import given

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("default", "state", "told"),
    [
        ("+49301234500", "active", "49301234500"),
        ("+49301234500", "suspended", ""),
        ("+49301234500", "inactive", ""),
        ("+49301234501", "active", ""),  # somebody else's, or nobody's
        ("", "active", ""),
    ],
)
def test_the_default_caller_id_is_an_active_number_of_the_customer_or_none(acme, nadia, default, state, told):
    given(acme, nadia, "+49301234500")
    Number.objects.update(state=state)
    Customer.objects.filter(pk=acme.pk).update(default_caller_id=default)
    acme.refresh_from_db()

    assert customer_facts(acme).default_caller_id == told
