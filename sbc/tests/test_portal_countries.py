"""`manage.py countries`: what the operator wrote of a country reaches the nodes, or is refused in words."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from portal.db import contexts
from sbc import services
from sbc.models import Revision
from tenants.models import Customer

pytestmark = pytest.mark.django_db
ROW = {"location_required": True, "source": "BNetzA", "date": "2026-12-03"}


def dialled(customer: Customer) -> set[str]:
    with contexts.ingest():
        rows = Revision.objects.filter(scope=f"cust:{customer.pk}").latest("version").rows
    return {key.partition(":")[2] for table, key, _value in rows if table == "em"}


def said(*options: str) -> str:
    out = io.StringIO()
    call_command("countries", *options, stdout=out)
    return out.getvalue()


def test_own_numbers_of_a_country_reach_the_nodes_and_faulty_ones_do_not(
    acme: Customer, globex: Customer, tmp_path: Any, settings: Any
) -> None:
    settings.COUNTRIES_FILE = path = tmp_path / "countries.json"
    assert "the table that comes with Strowger is in force" in said("--check")
    services.recompile()
    assert dialled(acme) == {"112", "110"}

    path.write_text(json.dumps({"DE": ROW | {"numbers": [{"dial": "113", "service": "all", "test": False}]}}))
    assert "DE Germany: 113; BNetzA (2026-12-03)" in said("--check") and dialled(acme) == {"112", "110"}
    assert "customers" in said()
    assert dialled(acme) == {"113"} and dialled(globex) == {"911", "933"}

    path.write_text("{}}")
    with pytest.raises(CommandError, match=r"not JSON.*Nothing was changed"):
        said()
