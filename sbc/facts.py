"""What the compiler needs to know, read from every app below: the only reader across them."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

from portal.db.together import Together
from sbc.compiler import (
    CustomerFacts,
    EmergencyFacts,
    MicrosoftName,
    MspFacts,
    NumberFacts,
    RegionFacts,
    TrunkFacts,
)
from sbc.elsewhere import begin_elsewhere
from sbc.models import Node
from sbc.rows import Row
from tenants.models import BaseDomain, Customer, CustomerRegion, Msp, Region
from voice.carriers.models import Trunk
from voice.carriers.networks import as_address, for_nodes, is_beyond
from voice.carriers.selectors import blocked_prefixes, emergency_lists, trunks_for
from voice.emergency.selectors import (
    choices,
    emergency_over,
    in_order,
    number_countries,
    place_countries,
    trunks_by_country,
)
from voice.numbers.models import ApprovedCallerId, Number
from voice.rating.models import PriceTables
from voice.routing.models import Route, Schedule
from voice.routing.selectors import lines_of

_TRUNK = (
    "id", "msp_id", "tenant_id", "host", "port", "transport", "auth", "password_version", "username", "realm",
    "source_addresses", "channels", "cps", "forwarded_caller", "enabled", "approved",
)  # fmt: skip
_ROUTE = ("id", "prefix", "caller_prefix", "action", "trunk_order", "enabled")
_SCHEDULE = ("schedule__name", "schedule__windows", "schedule__closed")


def region_facts(region: Region) -> RegionFacts:
    """Return what the nodes of a region share. As the role ingest."""
    names = tuple(
        MicrosoftName(name["fqdn"], name.get("address") or "", int(name.get("port") or 5061))
        for name in region.microsoft_names
    )
    networks = tuple(
        network if isinstance(network, str) else network["network"] for network in region.microsoft_networks
    )
    allowed, denied = for_nodes(region.allowed_networks, region.denied_networks, networks)
    return RegionFacts(tuple(allowed), tuple(denied), names, networks, begin_elsewhere(region) if region.pk else ())


def msp_facts(msp: Msp) -> MspFacts:
    """Return an MSP's shared trunks, bases and block list; the database context must be the MSP's."""
    shared = Trunk.objects.open().shared().filter(msp=msp).order_by("pk")
    own = Node.objects.enabled().filter(region__base_domains__msp=msp).values("region", "addresses")
    regions = Region.objects.filter(base_domains__msp=msp).distinct()
    fit = _fit(map(trunk_facts, shared), own, regions)
    return MspFacts(
        id=msp.pk,
        bases=tuple(BaseDomain.objects.filter(msp=msp).order_by("pk").values_list("fqdn", flat=True)),
        trunks=fit.trunks,
        left_out=tuple(address for _owner, address in fit.left_out),
        unfit=fit.unfit,
        blocked_prefixes=tuple(each.prefix for each in blocked_prefixes(msp.pk)),
        prices=tuple(Row(*row) for made in PriceTables.objects.filter(msp=msp) for row in made.rows),
    )


def customer_facts(customer: Customer, *, protected: int = 0) -> CustomerFacts:
    """Return all that a customer's rows follow from; the database context must be the customer's.

    `protected` is the selling deck below whose prices no call may go: a customer's own role may not read policies.
    """
    read = _reads().ask(id=customer.pk, msp=customer.msp_id)
    trunks = [Trunk(**row) for row in read["trunks"]]
    fit = _fit(map(trunk_facts, trunks), read["nodes"], [Region(**row) for row in read["regions"]])
    gateways = {trunk.pk: trunk.gateway for trunk in trunks}
    numbers = tuple(_number(**row, gateways=gateways) for row in read["numbers"])
    countries = in_order(customer.country, [row["country"] for row in [*read["number_in"], *read["place_in"]]])
    shared = ((row["country"], Trunk(row["trunk"], closed_at=row["trunk__closed_at"])) for row in read["shared"])
    cover = trunks_by_country(countries, [row["trunk_id"] for row in read["chosen"]], trunks, shared)
    routes = emergency_over(cover)
    return CustomerFacts(
        id=customer.pk,
        msp=customer.msp_id,
        active=customer.state == Customer.State.ACTIVE,
        closing=customer.state in (Customer.State.CLOSING, Customer.State.CLOSED),
        fqdns=tuple(row["fqdn"] for row in read["names"]),
        country=customer.country,
        cps=customer.cps,
        channels=customer.channels,
        longest_call=60 * (customer.longest_call_minutes or read["msp"][0]["longest_call_minutes"] or 0),
        lines=lines_of(map(_route, read["routes"]), trunks, customer.time_zone),
        default_caller_id=_default_caller(customer, numbers),
        refuse_unknown_caller=customer.caller_id_policy == Customer.CallerIdPolicy.REFUSE,
        foreign_caller_id=customer.foreign_caller_id,
        numbers=numbers,
        approved_callers=tuple(row["e164"].lstrip("+") for row in read["callers"]),
        emergency=tuple(EmergencyFacts(each.dial, each.test, tuple(each.gateways), each.country) for each in routes),
        cover={country: tuple(trunk.pk for trunk in listed) for country, listed in cover.items()},
        usable_trunks=fit.trunks,
        own_trunks=tuple(trunk for trunk in fit.trunks if trunk.owner),
        # What is left out of the MSP's trunks is told to the MSP.
        left_out=tuple(address for owner, address in fit.left_out if owner),
        unfit=fit.unfit,
        protected=protected,
    )


@cache
def _reads() -> Together:
    """Return the questions to the database, each as the selectors ask it."""
    blank = Customer(pk=-1, msp_id=-2)
    return Together(
        {
            "msp": Msp.objects.filter(pk=-2).values("longest_call_minutes"),
            "nodes": Node.objects.enabled()
            .filter(region__base_domains__customer_regions__customer=blank)
            .values("region", "addresses"),
            "regions": Region.objects.filter(base_domains__customer_regions__customer=blank)
            .distinct()
            .values("id", "allowed_networks"),
            "names": CustomerRegion.objects.filter(customer=blank).order_by("pk").values("fqdn"),
            "trunks": trunks_for(blank).order_by("pk").values(*_TRUNK),
            "numbers": Number.objects.in_number_order().values("e164", "country", "state", "inbound", "inbound_trunk"),
            "callers": ApprovedCallerId.objects.presentable().order_by("e164").values("e164"),
            "chosen": choices().values("trunk_id"),
            "shared": emergency_lists(-2).values("country", "trunk", "trunk__closed_at"),
            "number_in": number_countries(),
            "place_in": place_countries(),
            "routes": Route.objects.with_trunk_ids()
            .in_dial_order()
            .values(*_ROUTE, "trunk_ids", "schedule", *_SCHEDULE),
        },
        id=-1,
        msp=-2,
    )


class Fit(NamedTuple):
    """Trunks as SBCs take them."""

    trunks: tuple[TrunkFacts, ...]
    unfit: Mapping[int, tuple[str, ...]]  # by region: their sources that its SBCs do not take, where others do
    left_out: tuple[tuple[int, str], ...]  # what some SBC does not take, with the owner


def _fit(trunks: Iterable[TrunkFacts], nodes: Iterable[Mapping[str, Any]], carrying: Iterable[Region]) -> Fit:
    """Return trunks as the SBCs of the regions `carrying` them take them, each by its own networks and addresses.

    Saving a trunk refuses these addresses; what is left out here is older than that, than a node or its owner's region.
    """
    trunks = tuple(trunks)
    own: dict[int, set[str]] = {}
    for node in nodes:
        own.setdefault(node["region"], set()).update(node["addresses"])
    known = set().union(*own.values())
    doubtful = dict.fromkeys(
        text for trunk in trunks for text in _addresses(trunk) if text in known or _is_beyond(text, ())
    )
    if not doubtful:
        return Fit(trunks, {}, ())
    # Where no SBC carries them yet, as where nothing is allowed by name.
    regions = list(carrying) or [Region()]
    beyond = {
        region.pk: {
            text for text in doubtful if text in own.get(region.pk, ()) or _is_beyond(text, region.allowed_networks)
        }
        for region in regions
    }
    nowhere, somewhere = set.intersection(*beyond.values()), set.union(*beyond.values())
    fit = tuple(
        replace(trunk, source_addresses=tuple(each for each in trunk.source_addresses if each not in nowhere))
        for trunk in trunks
        # A host is looked up at each call; but an IPv6 address is never any good.
        if ":" not in trunk.host
    )
    unfit = {region: tuple(text for text in doubtful if text in texts - nowhere) for region, texts in beyond.items()}
    told = ((trunk.owner, text) for trunk in trunks for text in _addresses(trunk) if text in somewhere)
    return Fit(fit, {region: texts for region, texts in unfit.items() if texts}, tuple(dict.fromkeys(told)))


def _addresses(trunk: TrunkFacts) -> list[str]:
    """Return the trunk's sources, and its host where that is IPv6."""
    return [*([trunk.host] if ":" in trunk.host else []), *trunk.source_addresses]


def _is_beyond(text: str, allowed: Collection[str]) -> bool:
    address = as_address(text)
    return address is None or is_beyond(address, allowed)


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
        password_version=trunk.password_version,
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


def _number(
    e164: str, country: str, state: str, inbound: str, inbound_trunk: int | None, gateways: dict[int, str]
) -> NumberFacts:
    if inbound == Number.Inbound.TRUNK:
        # The trunk was taken away: refusing is the honest answer until somebody chooses another.
        inbound = gateways.get(inbound_trunk or 0, "refuse")
    return NumberFacts(e164.lstrip("+"), state == Number.State.ACTIVE, inbound, country)


def _route(row: dict[str, Any]) -> Route:
    route = Route(**{name: row[name] for name in _ROUTE})
    if row["schedule"] is not None:
        route.schedule = Schedule(row["schedule"], **{name.removeprefix("schedule__"): row[name] for name in _SCHEDULE})
    route.trunk_ids = row["trunk_ids"]  # type: ignore[attr-defined]
    return route
