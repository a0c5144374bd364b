"""Twenty threads over a pool of five connections and three customers: nobody ever reads another's row."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from portal.db import contexts
from portal.db.context import NOBODY
from tenants.models import Membership
from voice.directory.models import Person

THREADS, VISITS = 20, 15


@pytest.mark.django_db(transaction=True)
def test_threads_that_share_a_pool_never_share_a_context(acme, globex, initech):
    customers = [acme, globex, initech]
    for customer in customers:
        with contexts.customer(customer):
            Person.objects.create(name=customer.label)
    connection.close()
    together = threading.Barrier(THREADS)

    def visit(number: int) -> list[str]:
        together.wait()
        wrong = []
        for turn in range(VISITS):
            customer = customers[(number + turn) % len(customers)]
            with contexts.customer(customer):
                names = set(Person.objects.values_list("name", flat=True))
                owners = set(Membership.objects.values_list("tenant_id", flat=True))
            if names != {customer.label} or not owners <= {customer.pk}:
                wrong.append(f"{customer.label}: {names} {owners}")
            if contexts.current() != NOBODY:
                wrong.append("a context stayed")
            connection.close()
        return wrong

    with ThreadPoolExecutor(THREADS) as pool:
        assert [line for lines in pool.map(visit, range(THREADS)) for line in lines] == []
