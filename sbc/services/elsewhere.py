"""What each region's SBCs are told of the numbers of customers that they do not carry, as these come and go."""

from django.db import transaction

from portal.db import contexts
from sbc.elsewhere import begin_elsewhere
from sbc.models import Node, Revision
from sbc.scopes import scope_key
from tenants.models import Region
from tenants.scopes import config_changed


def follow_numbers() -> int:
    """Open the next version of each region for which such numbers begin otherwise by now; return of how many.

    A region without SBCs would wait for ever for its version to be live; its first one brings it within a minute.
    """
    served = Region.objects.filter(pk__in=Node.objects.enabled().values("region"))
    with contexts.ingest():
        return sum(_follow(region) for region in served.order_by("pk"))


@transaction.atomic
def _follow(region: Region) -> bool:
    newest = Revision.objects.filter(scope=scope_key(region)).order_by("-version").first()
    # The next revision says it anyway.
    if newest is None or newest.version < region.config_version:
        return False
    told = {key for table, key, _value in newest.rows if table == "rg" and key.startswith("e")}
    if told == {f"e{digits}" for digits in begin_elsewhere(region)}:
        return False
    config_changed(region)
    return True
