"""The version counters of the three scopes: raising one is the only way to the SBCs."""

from functools import partial
from typing import cast

from django.db import transaction

from portal.core import nudges
from tenants.models import Customer, Msp, Region

Scope = Region | Msp | Customer
_KINDS: dict[type[Scope], str] = {Region: "region", Msp: "msp", Customer: "cust"}


def scope_key(scope: Scope) -> str:
    """Return the scope's name on the wire, like `region:1`, `msp:3` or `cust:17`."""
    return f"{_KINDS[type(scope)]}:{scope.pk}"


@transaction.atomic
def config_changed(scope: Scope) -> int:
    """Open the scope's next configuration version; wake the SBC worker on commit.

    Who changes several scopes in one transaction locks region, then MSP, then customer.
    """
    model = cast(type[Customer], type(scope))
    columns = ("config_version", "state") if isinstance(scope, Customer) else ("config_version",)
    # The row lock makes edits take turns, so that a version names exactly one state.
    version, *state = model.objects.select_for_update(no_key=True).values_list(*columns).get(pk=scope.pk)
    if state == [Customer.State.CLOSED]:
        return int(version)  # no SBC carries it any more, and none ever will
    version += 1
    model.objects.filter(pk=scope.pk).update(config_version=version)
    scope.config_version = version
    transaction.on_commit(partial(nudges.nudge, "sbc"), robust=True)
    transaction.on_commit(partial(_tell_pages, scope), robust=True)
    return int(version)


def _tell_pages(scope: Scope) -> None:
    if isinstance(scope, Customer):
        nudges.topic(scope.pk, scope.msp_id, "config")
    elif isinstance(scope, Msp):
        nudges.topic(None, scope.pk, "config")
