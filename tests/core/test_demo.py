"""What the demo leaves for a person to do."""

import pytest

from portal.core.audit import Actor
from portal.db import contexts
from sbc.models import Alarm, Revision
from sbc.services import compile_revisions
from voice.carriers import selectors, services

pytestmark = pytest.mark.django_db


def test_the_trunk_that_waits_may_be_approved(world, northwind, globex):
    with contexts.msp(northwind):
        [trunk] = selectors.trunks_to_approve(northwind)
        services.approve_trunk(trunk, by=Actor.system("tests"))

    compile_revisions()

    with contexts.ingest():
        assert not Alarm.objects.filter(kind=Alarm.Kind.COMPILE).exists()
        newest = Revision.objects.filter(scope=f"cust:{globex.pk}").order_by("-version").first()
        assert any(row[0] == "ip" and row[2].endswith(f",{trunk.gateway}") for row in newest.rows)
