"""What the tests of trunks begin with."""

from typing import Any

from voice.carriers import services
from voice.carriers.models import Carrier, Trunk


def shared_trunk(msp: Any, by: Any, **changes: Any) -> Trunk:
    """Return a saved trunk of the MSP, in the MSP's context."""
    carrier = Carrier.objects.filter(msp=msp, name="Carrier A").first()
    carrier = carrier or services.save_carrier(Carrier(msp=msp, name="Carrier A"), by=by)
    facts = {"name": "Carrier A Berlin", "host": "127.0.9.1", "carrier": carrier} | changes
    return services.save_trunk(Trunk(msp=msp, **facts), by=by)


def own_trunk(customer: Any, by: Any, **changes: Any) -> Trunk:
    """Return a saved trunk that the customer brought, in the customer's context."""
    facts = {"name": "Own line", "host": "127.0.9.20"} | changes
    return services.save_trunk(Trunk(msp=customer.msp, tenant=customer, **facts), by=by)
