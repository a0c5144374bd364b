"""The version counters of the three scopes: raising one is the only way to the SBCs."""

from functools import partial
from typing import cast

from django.db import connection, transaction

from portal.core import nudges
from tenants.models import Customer, Msp, Region

Scope = Region | Msp | Customer
_KINDS: dict[type[Scope], str] = {Region: "region", Msp: "msp", Customer: "cust"}
_OPEN: dict[type[Scope], str] = {Customer: f"AND state <> '{Customer.State.CLOSED}'"}
_NEXT = {
    model: f"""UPDATE {model._meta.db_table} SET config_version = config_version + 1
                WHERE id = %s {_OPEN.get(model, "")} RETURNING config_version"""  # noqa: S608 names of ours
    for model in _KINDS
}


def scope_key(scope: Scope) -> str:
    """Return the scope's name on the wire, like `region:1`, `msp:3` or `cust:17`."""
    return f"{_KINDS[type(scope)]}:{scope.pk}"


def config_changed(scope: Scope) -> int:
    """Open the scope's next configuration version; wake the SBC worker on commit.

    Who changes several scopes in one transaction locks region, then MSP, then customer.
    """
    # The row is locked from here on: edits take turns, so that a version names exactly one state.
    with connection.cursor() as cursor:
        cursor.execute(_NEXT[type(scope)], [scope.pk])
        row = cursor.fetchone()
    if row is None:
        # No SBC carries a closed customer any more, and none ever will.
        versions = cast(type[Customer], type(scope)).objects.values_list("config_version", flat=True)
        return int(versions.get(pk=scope.pk))
    version = scope.config_version = int(row[0])
    transaction.on_commit(partial(nudges.nudge, "sbc", first=scope_key(scope)), robust=True)
    transaction.on_commit(partial(_tell_pages, scope), robust=True)
    return version


def _tell_pages(scope: Scope) -> None:
    if isinstance(scope, Customer):
        nudges.topic(scope.pk, scope.msp_id, "config")
    elif isinstance(scope, Msp):
        nudges.topic(None, scope.pk, "config")
