"""Year after year the erasure goes over all that the demo has: nothing stands in its way, and no balance moves."""

from collections import defaultdict
from datetime import UTC, datetime

import pytest
from django.db import connection

from portal.core.audit import Actor
from portal.db import contexts
from sbc.services import erasure

pytestmark = pytest.mark.django_db
BALANCES = """
    SELECT p.account_id, sum(p.debit - p.credit) FROM receivables_posting p
      JOIN receivables_account a ON a.id = p.account_id WHERE a.kind = 'receivable' GROUP BY 1
"""


def balances() -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(BALANCES)
        return {account: amount for account, amount in cursor.fetchall() if amount}


def test_time_takes_everything_that_may_go_and_moves_no_balance(world: object) -> None:
    taken: dict[str, int] = defaultdict(int)
    with contexts.owner():
        owed = balances()
    assert owed
    for year in (2027, 2028, 2031, 2034, 2036, 2038, 2040):
        run = erasure.erase(at=datetime(year, 1, 2, 3, tzinfo=UTC), by=Actor(email="tests"))
        with contexts.owner():
            assert balances() == owed
            for line in run.lines.all():
                assert line.is_proven, f"{line.table}: {line.rows_after} are left"
                taken[line.table] += line.rows_removed
    some = {"receivables_entry", "receivables_invoice", "receivables_payment", "payments_bankentry", "billing_bill"}
    assert {table for table in some if not taken[table]} == set()
