"""Whose side ended a call: worked out from its record where it is shown, never stored.

A record says at which end of the call it was; who is at that end follows from the direction of the call.
"""

from django.db import models
from django.utils.translation import gettext_lazy as _

from voice.calls.masking import BELOW_COST, NOT_OFFERED
from voice.calls.models import Cdr
from voice.calls.models.cdr import Direction


class Releaser(models.TextChoices):
    TEAMS = "teams", _("Teams, the company's own user")
    TRUNK = "trunk", _("The company's own user, over a trunk")
    CARRIER = "carrier", _("The carrier, the outside party")
    CUSTOMER = "customer", _("Another company on this SBC")
    LIMIT = "limit", _("The SBC, because of a limit")
    SBC = "sbc", _("The SBC")
    UNKNOWN = "unknown", _("Not known")


# A record names them as limits, but nothing was used up.
RULES = ("", BELOW_COST, NOT_OFFERED)


def releaser(cdr: Cdr) -> Releaser:
    """Return whose side ended a call, as the customer of the record sees it."""
    if cdr.released_by == "sbc":
        return Releaser.SBC if cdr.limit in RULES else Releaser.LIMIT
    if cdr.released_by not in ("caller", "called"):
        return Releaser.UNKNOWN
    is_inside = cdr.direction == Direction.INTERNAL
    own_end = "called" if cdr.direction == Direction.IN or cdr.side == "called" else "caller"
    if cdr.released_by == own_end or (is_inside and cdr.peer_id == cdr.tenant_id):
        gateway = cdr.ingress if cdr.released_by == "caller" else cdr.egress
        return Releaser.TEAMS if gateway in ("", "teams") else Releaser.TRUNK
    return Releaser.CUSTOMER if is_inside else Releaser.CARRIER
