"""What the compiler needs to know, read from every app below: the only reader across them."""

from dataclasses import replace

from sbc.compiler import (
    CustomerFacts,
    EmergencyFacts,
    MicrosoftName,
    MspFacts,
    NumberFacts,
    RegionFacts,
    TrunkFacts,
)
from tenants.models import BaseDomain, Customer, CustomerRegion, Msp, Region
from voice.carriers.models import Trunk
from voice.carriers.selectors import blocked_prefixes, trunks_for
from voice.emergency.selectors import emergency_for
from voice.numbers.models import ApprovedCallerId, Number
from voice.routing.selectors import lines_for


def region_facts(region: Region) -> RegionFacts:
    """Return what the nodes of a region share."""
    names = tuple(
        MicrosoftName(name["fqdn"], name.get("address") or "", int(name.get("port") or 5061))
        for name in region.microsoft_names
    )
    networks = tuple(
        network if isinstance(network, str) else network["network"] for network in region.microsoft_networks
    )
    return RegionFacts(tuple(region.allowed_networks), tuple(region.denied_networks), names, networks)


def msp_facts(msp: Msp) -> MspFacts:
    """Return an MSP's shared trunks, bases and block list; the database context must be the MSP's."""
    return MspFacts(
        id=msp.pk,
        bases=tuple(BaseDomain.objects.filter(msp=msp).order_by("pk").values_list("fqdn", flat=True)),
        trunks=tuple(trunk_facts(trunk) for trunk in Trunk.objects.open().shared().filter(msp=msp).order_by("pk")),
        blocked_prefixes=tuple(each.prefix for each in blocked_prefixes(msp.pk)),
    )


def customer_facts(customer: Customer) -> CustomerFacts:
    """Return all that a customer's rows follow from; the database context must be the customer's."""
    trunks = list(trunks_for(customer).defer("password"))
    usable = {trunk.pk: trunk_facts(trunk) for trunk in trunks}
    gateways = {pk: trunk.gateway for pk, trunk in usable.items()}
    fqdns = CustomerRegion.objects.filter(customer=customer).order_by("pk").values_list("fqdn", flat=True)
    held = Number.objects.in_number_order().values_list("e164", "state", "inbound", "inbound_trunk")
    numbers = tuple(_number(*number, gateways) for number in held)
    routes = emergency_for(customer, trunks)
    emergency = tuple(EmergencyFacts(each.dial, each.test, tuple(each.gateways)) for each in routes)
    return CustomerFacts(
        id=customer.pk,
        msp=customer.msp_id,
        active=customer.state == Customer.State.ACTIVE,
        closing=customer.state in (Customer.State.CLOSING, Customer.State.CLOSED),
        fqdns=tuple(fqdns),
        country=customer.country,
        cps=customer.cps,
        channels=customer.channels,
        lines=lines_for(customer, trunks),
        default_caller_id=_default_caller(customer, numbers),
        refuse_unknown_caller=customer.caller_id_policy == Customer.CallerIdPolicy.REFUSE,
        foreign_caller_id=customer.foreign_caller_id,
        numbers=numbers,
        approved_callers=tuple(
            e164.lstrip("+") for e164 in ApprovedCallerId.objects.order_by("e164").values_list("e164", flat=True)
        ),
        emergency=emergency,
        usable_trunks=tuple(usable.values()),
        own_trunks=tuple(trunk for trunk in usable.values() if trunk.owner),
    )


def trunk_facts(trunk: Trunk) -> TrunkFacts:
    """Return a trunk without its password; one that waits for approval is not used."""
    facts = TrunkFacts(
        id=trunk.pk,
        host=trunk.host,
        port=trunk.port,
        transport=trunk.transport,
        msp=trunk.msp_id,
        owner=trunk.tenant_id or 0,
        digest=trunk.auth == Trunk.Auth.DIGEST,
        username=trunk.username,
        realm=trunk.realm,
        cps=trunk.cps,
        channels=trunk.channels,
        forwarded_caller=trunk.forwarded_caller,
        enabled=trunk.enabled,
        source_addresses=tuple(dict.fromkeys(trunk.source_addresses)),
    )
    return facts if trunk.approved else replace(facts, enabled=False, source_addresses=())


def _default_caller(customer: Customer, numbers: tuple[NumberFacts, ...]) -> str:
    """Return what calls show instead of a caller ID that they may not: an active number of the customer, or nothing."""
    digits = customer.default_caller_id.lstrip("+")
    return digits if any(number.digits == digits and number.active for number in numbers) else ""


def _number(e164: str, state: str, inbound: str, trunk: int | None, gateways: dict[int, str]) -> NumberFacts:
    if inbound == Number.Inbound.TRUNK:
        # The trunk was taken away: refusing is the honest answer until somebody chooses another.
        inbound = gateways.get(trunk or 0, "refuse")
    return NumberFacts(e164.lstrip("+"), state == Number.State.ACTIVE, inbound)
