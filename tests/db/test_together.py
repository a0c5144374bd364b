"""Reads that are compiled once answer what each would have answered, asked by itself."""

import pytest
from django.db import transaction
from django.db.models.functions import Upper

from portal.db import contexts
from portal.db.together import Kept, Together
from tenants.models import Customer, Domain
from voice.directory.models import Person


def reads(pk):
    return {
        "hosts": Domain.objects.filter(tenant=pk).order_by("domain").values("domain", "kind"),
        "nobody": Customer.objects.filter(pk=pk, name="").values("pk"),
        "people": Person.objects.order_by("pk").values("pk"),
    }


def test_the_reads_are_asked_anew_each_time_for_whom_one_says(acme, globex, django_assert_num_queries):
    together = Together(reads(-1), customer=-1)

    for customer in (acme, globex):
        with contexts.customer(customer):
            alone = {name: list(read) for name, read in reads(customer.pk).items()}
            with django_assert_num_queries(1):
                assert together.ask(customer=customer.pk) == alone
            assert alone["hosts"]


def test_a_blank_that_nobody_reads_is_a_mistake():
    with pytest.raises(ValueError, match="country"):
        Together(reads(-1), customer=-1, country="-3")


def test_a_kept_query_gives_whole_rows_asked_anew_and_locked(acme, globex, django_assert_num_queries):
    with contexts.ingest(), transaction.atomic():
        locked = Customer.objects.select_for_update(no_key=True).annotate(in_capitals=Upper("label"))
        kept = Kept(locked.filter(pk=-1), customer=-1)

        for customer in (acme, globex):
            with django_assert_num_queries(1):
                (row,) = kept.ask(customer=customer.pk)
                assert (row, row.name, row.in_capitals) == (customer, customer.name, customer.label.upper())
    assert "FOR NO KEY UPDATE" in kept.statement
