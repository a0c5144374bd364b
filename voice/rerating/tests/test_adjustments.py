import uuid
from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from portal.db import contexts
from voice.rerating import selectors, services
from voice.rerating.models import Adjustment, CostAdjustment
from voice.rerating.selectors import AdjustmentSum

JUNE = datetime(2026, 6, 30, 12, tzinfo=UTC)
JULY = datetime(2026, 7, 1, tzinfo=UTC)
BILL, OTHER = 7, 8


def entry(customer, micros, answered=JUNE, model=Adjustment, **changes):
    facts = {
        "tenant": customer, "msp_id": customer.msp_id, "invited": answered, "call": uuid.uuid4(), "answered": answered,
        "direction": "out", "destination": "Germany", "currency": "EUR", "micros": micros, "proposal_id": 1,
        "made_at": JULY,
    }  # fmt: skip
    with contexts.ingest():
        return model.objects.create(**facts | changes)


def test_an_invoice_bears_what_is_open_and_the_next_one_nothing_of_it(northwind, acme, globex):
    entry(acme, -20_000, billed=-6)
    entry(acme, 5_000, billed=6, calls=1)
    entry(acme, 1_000, answered=JULY)
    entry(acme, 300, currency="USD")
    entry(globex, 9)

    with contexts.msp(northwind):
        seen = selectors.unbilled_sums(acme.pk, JULY)
        taken = services.take(acme.pk, JULY, BILL)
        again = services.take(acme.pk, JULY, BILL)
        late = entry(acme, 40)
        other = services.take(acme.pk, JULY, OTHER)

        euros = AdjustmentSum("out", "Germany", "EUR", entries=2, calls=1, seconds=0, billed=0, micros=-15_000)
        assert seen == taken == again and taken[0] == euros and taken[1].micros == 300
        assert [(each.entries, each.micros) for each in other] == [(1, 40)]
        assert Adjustment.objects.get(pk=late.pk).invoice_id == OTHER
        assert services.give_back(acme.pk, BILL) == 3
        assert selectors.unbilled_sums(acme.pk, JULY) == seen


def test_nobody_changes_an_entry_or_moves_it_to_another_invoice(northwind, acme):
    kept = entry(acme, 5, invoice_id=BILL)
    mine = Adjustment.objects.filter(pk=kept.pk)

    with contexts.msp(northwind):
        with pytest.raises(IntegrityError, match="on invoice 7 already"), transaction.atomic():
            mine.update(invoice_id=OTHER)
        with pytest.raises(ProgrammingError), transaction.atomic():
            mine.update(micros=0)
    for context in (contexts.msp(northwind), contexts.customer(acme), contexts.ingest()):
        with context, pytest.raises(ProgrammingError), transaction.atomic():
            mine.delete()


def test_a_customer_sees_its_own_entries_and_no_costs(acme, globex, fabrikam):
    entry(acme, 5)
    entry(acme, 5, model=CostAdjustment, trunk=1)

    assert Adjustment.objects.count() == 1 and not CostAdjustment.objects.exists()
    for context in (contexts.customer(globex), contexts.msp(fabrikam)):
        with context:
            assert not Adjustment.objects.exists() and not CostAdjustment.objects.exists()
