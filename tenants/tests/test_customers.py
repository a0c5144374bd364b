"""A customer's life, as its MSP lives it."""

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import connection, transaction

from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants import services
from tenants.models import Customer, Domain, Msp

pytestmark = pytest.mark.django_db
BY = Actor(email="nadia@northwind.example")


def new(msp: Msp, label: str = "umbrella", **facts: object) -> Customer:
    return Customer(
        **{"msp": msp, "name": "Umbrella", "label": label, "country": "DE", "time_zone": "Europe/Berlin"} | facts
    )


def test_a_customer_is_created_whole(northwind, django_capture_on_commit_callbacks):
    with contexts.msp(northwind), django_capture_on_commit_callbacks(execute=True):
        customer = services.create_customer(new(northwind), by=BY, admin_email="Ada@Umbrella.example")

    assert customer.schema_name == f"c{customer.pk:06d}"
    assert (customer.state, customer.config_version) == ("active", 1)
    with contexts.customer(customer):
        assert [row.fqdn for row in customer.customer_regions.all()] == ["umbrella.sbc.northwind.example"]
        assert Domain.objects.get(tenant=customer).domain == "umbrella.northwind.localhost"
        assert "routing_route" in connection.introspection.table_names()
        assert AuditEntry.objects.filter(verb="customer.created", tenant_id=customer.pk).exists()
    assert mail.outbox[0].to == ["ada@umbrella.example"]
    assert "Northwind <" in mail.outbox[0].from_email
    assert "http://umbrella.northwind.localhost:8000/invitations/" in mail.outbox[0].body


@pytest.mark.parametrize(
    "label",
    ["x',public;--", "PUBLIC", "public.x", "a" * 64, "tenletters", "☎", "аcme", "-acme", "acme-", "a b", "", "acme\n",
     "console", "xn--abc", "acme", 'a"b', "a\0b", "../etc"],
)  # fmt: skip
def test_a_hostile_or_used_label_is_refused_at_its_field(northwind, label):
    with contexts.msp(northwind), pytest.raises(ValidationError) as refused:
        services.create_customer(new(northwind, label), by=BY)

    assert "label" in refused.value.message_dict or "__all__" in refused.value.message_dict
    with contexts.msp(northwind):
        assert Customer.objects.count() == 2


def test_a_label_may_be_used_by_another_msp_but_never_again_by_its_own(northwind, fabrikam):
    with contexts.msp(northwind):
        customer = services.create_customer(new(northwind), by=BY)
        services.close_customer(customer, typed_name="Umbrella", reason="left", by=BY)
    with contexts.msp(fabrikam):
        services.create_customer(new(fabrikam), by=BY)

    with contexts.msp(northwind), pytest.raises(ValidationError):
        services.create_customer(new(northwind), by=BY)


def test_the_second_of_two_editors_is_told(northwind, acme):
    with contexts.msp(northwind):
        mine, theirs = Customer.objects.get(pk=acme.pk), Customer.objects.get(pk=acme.pk)
        theirs.channels = 40
        services.save_customer(theirs, by=Actor(email="olaf@northwind.example"))

        mine.channels = 50
        with pytest.raises(StaleEdit, match=r"olaf@northwind\.example"):
            services.save_customer(mine, by=BY)

        assert Customer.objects.get(pk=acme.pk).channels == 40


def test_suspending_and_closing_demand_a_reason_and_the_name(northwind, acme):
    with contexts.msp(northwind):
        with pytest.raises(ValidationError), transaction.atomic():
            services.suspend_customer(acme, reason=" ", by=BY)
        services.suspend_customer(acme, reason="unpaid", by=BY)
        services.resume_customer(acme, by=BY)
        with pytest.raises(ValidationError), transaction.atomic():
            services.close_customer(acme, typed_name="acme", reason="left", by=BY)
        services.close_customer(acme, typed_name="Acme", reason="left", by=BY)

    assert acme.state == "closing" and acme.retain_until
    assert services.finish_closing(by=BY) == []
    with contexts.msp(northwind):
        Customer.objects.filter(pk=acme.pk).update(live_version=99)
    assert services.finish_closing(by=BY) == [acme]
    with pytest.raises(contexts.ContextRefused):
        contexts.use_customer(Customer.objects.get(pk=acme.pk))
    assert services.forget_closed(today=acme.retain_until.replace(year=acme.retain_until.year + 1), by=BY) == 1
