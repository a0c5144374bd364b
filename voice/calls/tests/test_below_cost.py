"""A call that was refused because it would have cost more than it brings: its MSP reads so, its customer does not."""

from datetime import timedelta

import pytest
from django.core.cache import cache
from django.utils.timezone import now

from portal.db import contexts
from portal.db.partitions import ensure_days
from tenants.tests.clients import client_of
from voice.calls import selectors
from voice.calls.models import Cdr
from voice.calls.tests.make import cdr

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def call(acme):
    at = now() - timedelta(minutes=5)
    ensure_days("calls_cdr", {at.date()})
    with contexts.ingest():
        made = cdr(
            acme, at, answered=None, code=403, cause=21, limit="below_cost", disposition="not_offered", egress="",
            reason="Not Offered", attempts=[],
        )  # fmt: skip
        Cdr.objects.bulk_create([made])
    cache.clear()
    return made


@pytest.mark.parametrize(
    "path", ["/calls/", "/calls/?export=csv", "/calls/{id}/", "/api/v1/calls/", "/api/v1/calls/{id}/"]
)
def test_only_the_msp_reads_why(call, acme, alice, nadia, northwind, path):
    path = path.format(id=call.id)
    hers, his = client_of(alice, acme).get(path), client_of(nadia, northwind).get(path)

    assert (hers.status_code, his.status_code) == (200, 200)
    assert "not_offered" in hers.content.decode() or "ot offered" in hers.content.decode()
    assert "cost" not in hers.content.decode().lower().replace("/costs", "")
    assert "elow cost" in his.content.decode() or "below_cost" in his.content.decode()


def test_values_do_not_come_past_it(call, acme, northwind):
    contexts.use_customer(acme)
    mine = selectors.calls_of(acme, None, frozenset())

    assert [each.limit for each in mine] == ["not_offered"]
    with pytest.raises(TypeError):
        mine.values_list("limit")
