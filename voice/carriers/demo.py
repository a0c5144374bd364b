"""The demo's carriers: two, with trunks to the lab, an emergency list for each country, and a short block list."""

from typing import Any

from django.conf import settings

from portal.core.audit import Actor
from tenants.models import Customer, Msp
from voice.carriers import lists, services
from voice.carriers.models import BlockedPrefix, Carrier, Trunk

LAB = settings.LAB_NETWORK
CARRIERS = {"Carrier A": (f"{LAB}.9.1", 60, 20), "Carrier B": (f"{LAB}.9.2", 30, 10)}
BLOCKED = {
    "882": "Global networks: costs dearly",
    "883": "Global networks: costs dearly",
    "979": "International premium rate",
}


def seed(cast: Any) -> None:
    """Give each demo MSP its carriers, trunks and lists, once."""
    by = Actor.system("demo")
    for msp in cast.msps:
        with cast.as_msp(msp):
            if not Carrier.objects.filter(msp=msp).exists():
                _seed(msp, by)
    # A customer's own line at an address that its provider uses, too: it waits for approval.
    globex = cast.customer("globex")
    with cast.as_customer(globex):
        if not Trunk.objects.filter(tenant=globex).exists():
            services.save_trunk(Trunk(msp=globex.msp, tenant=globex, name="Globex own line", host=f"{LAB}.9.2"), by=by)


def _seed(msp: Msp, by: Actor) -> None:
    trunks = []
    for name, (host, channels, cps) in CARRIERS.items():
        carrier = services.save_carrier(Carrier(msp=msp, name=name, contact=f"noc@{name[-1].lower()}.example"), by=by)
        trunk = Trunk(msp=msp, carrier=carrier, name=name, host=host, channels=channels, cps=cps)
        trunks.append(services.save_trunk(trunk, by=by))
    for customer in Customer.objects.filter(msp=msp).order_by("pk"):
        for trunk in trunks:
            services.grant_trunk(trunk, customer, by=by)
        lists.set_emergency_trunks(msp, customer.country, trunks, by=by)
    for prefix, note in BLOCKED.items():
        lists.save_blocked_prefix(BlockedPrefix(msp=msp, prefix=prefix, note=note), by=by)
