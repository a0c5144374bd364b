"""Facts of a scope in, rows of the SBC out. Pure: no clock, no database, no secrets.

The tables and their keys are described in docs/node-protocol.md.
"""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from sbc.rows import Row, UnsafeValue, listed, parameters
from voice.rating.cheapest import Table, packed
from voice.routing.choose import Line, Order, ScheduleView
from voice.routing.flatten import flatten

# A password is a reference in a revision; it becomes the password only when it is sent to a node. The number of the
# password in it says nothing but that there is a new one: a delta carries what differs.
SECRET = "secret:trunk:{}:{}"  # noqa: S105
LONGEST_VALUE = 60_000
ROUTING_TABLES = frozenset({"rt", "cl", "sc"})
LIMITED_TABLES = frozenset({"tn", "gw"})
_ORDERS = {Order.CHEAPEST: "c", Order.PRICED: "p"}


@dataclass(frozen=True)
class MicrosoftName:
    """A name of Microsoft's signalling; `address` is empty where DNS answers."""

    fqdn: str
    address: str = ""
    port: int = 5061


@dataclass(frozen=True)
class RegionFacts:
    allowed: tuple[str, ...]
    denied: tuple[str, ...]
    microsoft_names: tuple[MicrosoftName, ...]
    microsoft_networks: tuple[str, ...]
    # How the numbers begin of customers that the region does not serve.
    elsewhere: tuple[str, ...] = ()


@dataclass(frozen=True)
class TrunkFacts:
    """A trunk as its owner set it up; limits of 0 are none; `owner` is 0 for an MSP's shared trunk."""

    id: int
    host: str
    port: int
    transport: str
    msp: int
    owner: int = 0
    digest: bool = False
    password_version: int = 0
    username: str = ""
    realm: str = ""
    cps: int = 0
    channels: int = 0
    forwarded_caller: str = "original"
    enabled: bool = True
    source_addresses: tuple[str, ...] = ()

    @property
    def gateway(self) -> str:
        return f"g{self.id}"


@dataclass(frozen=True)
class MspFacts:
    id: int
    bases: tuple[str, ...]
    trunks: tuple[TrunkFacts, ...] = ()
    blocked_prefixes: tuple[str, ...] = ()
    # Tables of prices, as they were made: `price_rows`.
    prices: tuple[Row, ...] = ()
    # Addresses of its trunks that an SBC does not take for a trunk's, and by region those that only some do not.
    left_out: tuple[str, ...] = ()
    unfit: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class NumberFacts:
    """A number of a customer as digits; `inbound` is teams, refuse or a gateway."""

    digits: str
    active: bool
    inbound: str = "teams"
    country: str = ""


@dataclass(frozen=True)
class EmergencyFacts:
    dial: str
    is_test: bool
    gateways: tuple[str, ...]
    country: str = ""


@dataclass(frozen=True)
class CustomerFacts:
    """All that a customer's SBC configuration follows from; `lines` of its policy hold gateways as trunks."""

    id: int
    msp: int
    active: bool
    fqdns: tuple[str, ...]
    country: str
    cps: int
    channels: int
    lines: tuple[Line, ...]
    longest_call: int = 0  # seconds; 0 is as long as the node lets any call last
    default_caller_id: str = ""
    refuse_unknown_caller: bool = False
    foreign_caller_id: bool = False
    closing: bool = False
    numbers: tuple[NumberFacts, ...] = ()
    approved_callers: tuple[str, ...] = ()
    emergency: tuple[EmergencyFacts, ...] = ()
    # By country, the trunks of its emergency calls.
    cover: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    usable_trunks: tuple[TrunkFacts, ...] = ()
    own_trunks: tuple[TrunkFacts, ...] = field(default=())
    # The selling deck below whose prices no call may go, 0 for none.
    protected: int = 0
    # Addresses of its own trunks that an SBC does not take for a trunk's; of all its trunks by region, where some do.
    left_out: tuple[str, ...] = ()
    unfit: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def compile_region(region: RegionFacts) -> list[Row]:
    """Return what every node of the region holds whoever its customers are."""
    networks = {"allow": region.allowed, "deny": region.denied, "msnets": region.microsoft_networks}
    # A node takes no empty values, and what it has no row of it takes for nothing.
    rows = [Row("rg", key, listed(some)) for key, some in networks.items() if some]
    for place, name in enumerate(region.microsoft_names, start=1):
        rows.append(Row("rg", f"ms{place}", parameters({"h": name.fqdn, "a": name.address, "p": name.port})))
    rows += [Row("rg", f"e{digits}", "1") for digits in region.elsewhere]
    return _checked(rows)


def compile_msp(msp: MspFacts) -> list[Row]:
    """Return an MSP's shared trunks, base domains and block list."""
    rows = [Row("bd", base.lower(), str(msp.id)) for base in msp.bases]
    rows += [Row("bl", f"m{msp.id}:{prefix}", "1") for prefix in msp.blocked_prefixes]
    if msp.blocked_prefixes:
        # Where the node begins to look: no row, no look-up.
        rows.append(Row("bl", f"m{msp.id}:", str(max(len(prefix) for prefix in msp.blocked_prefixes))))
    for trunk in msp.trunks:
        rows += _trunk(trunk)
    rows += _sources(f"m{msp.id}", msp.trunks)
    return _checked([*rows, *msp.prices])


def price_rows(msp: int, tables: Mapping[int, Table]) -> list[Row]:
    """Return an MSP's tables of prices: under 0 which trunk is cheapest, by selling deck where a call is below cost."""
    return [row for deck, table in tables.items() for row in _prices(f"m{msp}.{deck}", table)]


def compile_customer(customer: CustomerFacts, generation: int) -> list[Row]:
    """Return a customer's rows, its routing under `generation`; nothing at all for a customer that is closing."""
    if customer.closing:
        return []
    key = str(customer.id)
    rows = [Row("fq", fqdn.lower(), key) for fqdn in customer.fqdns]
    rows.append(Row("tn", key, _customer_row(customer, generation)))
    for number in customer.numbers:
        state = {"t": key, "st": int(number.active), "in": number.inbound}
        rows.append(Row("dn", number.digits, parameters(state)))
    rows += [Row("fc", f"{key}:{digits}", "1") for digits in customer.approved_callers]
    rows += _emergency(customer)
    for trunk in customer.own_trunks:
        rows += _trunk(trunk)
    rows += _sources(key, customer.usable_trunks)
    rows += _routing(customer, generation)
    return _checked(rows)


def for_node(rows: Iterable[Row], bases: Collection[str], nodes: int, unfit: Collection[str] = ()) -> list[Row]:
    """Return what a node of the region with these bases takes of a scope's rows, as one of `nodes` that carry it.

    Source addresses that are `unfit` there stay out.

    Counting over several nodes would miscount (design D16): each holds its share of a limit, portal or no portal.

    A name on an SBC is one public address (Microsoft): bases of other regions, and names under them, stay out.
    """
    rows = list(rows)
    names = {row.value: row.key for row in rows if row.table == "fq" and row.key.partition(".")[2] in bases}
    kept = []
    for row in rows:
        if (row.table == "bd" and row.key not in bases) or (row.table == "fq" and names.get(row.value) != row.key):
            continue
        if row.table == "ip" and row.key.partition(":")[2] in unfit:
            continue
        if row.table == "tn":
            row = replace(row, value=re.sub(r"(^|;)fq=[^;]*", rf"\1fq={names.get(row.key, '')}", row.value))
        if row.table in LIMITED_TABLES and nodes > 1:
            row = replace(row, value=re.sub(r"(?<=;)(cps|cc)=(\d+)", lambda limit: _share(limit, nodes), row.value))
        kept.append(row)
    return kept


def _share(limit: re.Match[str], nodes: int) -> str:
    whole = int(limit[2])
    # 0 is no limit; a share of nothing would be a block.
    return f"{limit[1]}={max(1, whole // nodes) if whole else 0}"


def routing_fingerprint(rows: Iterable[Row]) -> frozenset[Row]:
    """Return the routing among the rows without its generation: equal fingerprints need no new generation."""
    return frozenset(
        Row(row.table, re.sub(r"^(\d+)\.\d+", r"\1", row.key), row.value) for row in rows if row.table in ROUTING_TABLES
    )


def switched_off(rows: Iterable[Row]) -> list[Row]:
    """Return a customer's rows as they are, but suspended: of its calls emergency calls alone pass."""
    return [
        replace(row, value=re.sub(r"(^|;)st=\d+", r"\1st=0", row.value)) if row.table == "tn" else row for row in rows
    ]


def _customer_row(customer: CustomerFacts, generation: int) -> str:
    said = {
        "m": customer.msp,
        "st": int(customer.active),
        "cps": customer.cps,
        "cc": customer.channels,
        "g": generation,
        # The longest prefix of this generation: where the node begins to look.
        "ml": max((len(line.prefix) for line in customer.lines), default=0),
        "fq": customer.fqdns[0].lower() if customer.fqdns else "",
        # Emergency calls show it also where other callers are refused: somebody must be able to call back.
        "def": _usual(customer),
        "scr": "refuse" if customer.refuse_unknown_caller or not customer.default_caller_id else "replace",
        "fx": int(customer.foreign_caller_id),
        "co": customer.country,
    }
    if customer.protected:
        said["lp"] = customer.protected
    if customer.longest_call:
        said["mx"] = customer.longest_call
    return parameters(said)


def _usual(customer: CustomerFacts) -> str:
    return customer.default_caller_id or _called_back_at(customer, customer.country)


def _called_back_at(customer: CustomerFacts, country: str) -> str:
    """Return an active number of the customer, or nothing.

    Help goes to the place of a number: one of the country comes first, then the default, then one that takes calls.
    """

    def rank(number: NumberFacts) -> tuple[bool, bool, bool]:
        return number.country != country, number.digits != customer.default_caller_id, number.inbound == "refuse"

    active = (number for number in customer.numbers if number.active)
    return min(active, key=rank, default=NumberFacts("", False)).digits


def _emergency(customer: CustomerFacts) -> list[Row]:
    """Return the emergency numbers, each with the number that its calls show where that is another than `def`."""
    usual = _usual(customer)
    numbers = {country: _called_back_at(customer, country) for country in {each.country for each in customer.emergency}}
    rows = []
    for each in customer.emergency:
        value: dict[str, object] = {"x": int(each.is_test), "g": listed(each.gateways)}
        if numbers[each.country] not in ("", usual):
            value["n"] = numbers[each.country]
        rows.append(Row("em", f"{customer.id}:{each.dial}", parameters(value)))
    return rows


def _trunk(trunk: TrunkFacts) -> list[Row]:
    gateway = trunk.gateway
    facts = {
        "h": trunk.host,
        "p": trunk.port,
        "t": trunk.transport,
        "a": "digest" if trunk.digest else "ip",
        "cps": trunk.cps,
        "cc": trunk.channels,
        "m": trunk.msp,
        "o": trunk.owner,
        "fw": "own" if trunk.forwarded_caller == "own" else "orig",
        "st": int(trunk.enabled),
    }
    rows = [Row("gw", gateway, parameters(facts))]
    if trunk.digest:
        password = SECRET.format(trunk.id, trunk.password_version)
        rows += [Row("au", f"{gateway}.u", trunk.username), Row("au", f"{gateway}.p", password)]
        if trunk.realm:
            rows.append(Row("au", f"{gateway}.r", trunk.realm))
    return rows


def _sources(owner: str, trunks: Iterable[TrunkFacts]) -> list[Row]:
    """Return the trunks at each address, the oldest first; the node leaves out those that are not in use."""
    found: dict[str, list[str]] = {}
    for trunk in sorted(trunks, key=lambda trunk: trunk.id):
        for address in trunk.source_addresses:
            found.setdefault(address, []).append(trunk.gateway)
    return [Row("ip", f"{owner}:{address}", listed(gateways)) for address, gateways in found.items()]


def _routing(customer: CustomerFacts, generation: int) -> list[Row]:
    flat = flatten(customer.lines)
    scope = f"{customer.id}.{generation}"
    own = frozenset(trunk.gateway for trunk in customer.own_trunks)
    rows = [
        Row("rt", f"{scope}.{caller}{state}:{prefix}", _route(line, own))
        for (caller, state, prefix), line in flat.rows.items()
    ]
    callers = {number.digits for number in customer.numbers} | set(customer.approved_callers)
    if flat.caller_prefixes:
        classes = ((digits, flat.caller_class(digits)) for digits in sorted(callers))
        rows += [Row("cl", f"{scope}:{digits}", str(of)) for digits, of in classes if of]
    if flat.schedules:
        rows.append(Row("sc", scope, json.dumps([_schedule(schedule) for schedule in flat.schedules])))
    return rows


def _route(line: Line, own: Collection[str]) -> str:
    """Return what happens to a line's calls; the trunks are the last parameter, because commas end a value."""
    if not line.trunks:
        return parameters({"r": line.id, "b": 1})
    if line.order is Order.LISTED:
        return parameters({"r": line.id, "g": listed(line.trunks)})
    # The customer's own come first and have no price: a node must not look for one.
    trunks = sorted(line.trunks, key=lambda trunk: trunk not in own)
    first = sum(trunk in own for trunk in trunks)
    return parameters({"r": line.id, "o": _ORDERS[line.order], "n": first, "g": listed(trunks)})


def _prices(key: str, table: Table) -> list[Row]:
    """Return a table of prices under its layout, and the row that puts the layout in force."""
    of = f"{key}.{table.layout}"
    rows = [Row("lt", key, parameters({"l": table.layout, "w": table.width}))]
    if len(table.timetable.states) > 1:
        rows.append(Row("pt", of, json.dumps(table.timetable.moments, separators=(",", ":"))))
    rows += [Row("lc", f"{of}:{trunk}", ".".join(map(str, places))) for trunk, places in table.places.items()]
    rows += [Row("lc", f"{of}:{prefix}", codes) for prefix, codes in packed(table).items()]
    return rows


def _schedule(schedule: ScheduleView) -> dict[str, object]:
    return {
        "zone": schedule.time_zone,
        "windows": [
            {"days": sorted(window.days), "begin": f"{window.begin:%H:%M}", "until": f"{window.until:%H:%M}"}
            for window in schedule.windows
        ],
        "closed": sorted(schedule.closed),
    }


def _checked(rows: list[Row]) -> list[Row]:
    seen = set()
    for row in rows:
        if (row.table, row.key) in seen:
            raise UnsafeValue(f"two rows for {row.table} {row.key}")
        seen.add((row.table, row.key))
        if len(row.value) > LONGEST_VALUE:
            raise UnsafeValue(f"a row of {row.table} is longer than any SBC takes: {row.key!r}")
        if re.search(r"[\s\x00-\x1f\x7f]", row.key) or re.search(r"[\x00-\x1f\x7f]", row.value):
            raise UnsafeValue(f"a row of {row.table} holds white space or a control character: {row.key!r}")
    return rows
