"""Which rows there are, who may own them, and in what order they change."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

from sbc.node import credit, prices, schedules
from sbc.protocol import Row, RowKey

Kind: TypeAlias = Literal["missing", "different", "foreign"]  # how something is otherwise than it should be

# A call must never meet a row that points at one which is not there yet: what others refer to comes first, goes last.
# `tn` is the switch: it names the generation in force. `dn` and `fq` let calls in, so they follow it.
# `lt` is the switch of a table of prices.
SET_ORDER = (
    "rg", "bd", "bl", "gw", "au", "sr", "ip", "fc", "cl", "ss", "sc", "rt", "ps", "pt", "lc", "lt", "em", "cr",
    "tn", "dn", "fq",
)  # fmt: skip
SWITCHES = frozenset({"lt", "em", "tn", "dn", "fq"})
DERIVED = frozenset({"sr", "ss", "ps"})  # written by the node process from other rows, never sent
PRICES = frozenset({"pt", "lc", "lt"})
GENERATED = frozenset({"rt", "cl", "sc"})  # written under a generation of its own with each change of a policy
SECRET = frozenset({"au"})
# Of these a faulty row is left out and the others are carried: without it its own trunk is less, and nobody else. A
# customer writes them, and must not keep its suspension out by one that no node takes.
LEFT_OUT = frozenset({"ip", "au"})
TABLES = tuple(table for table in SET_ORDER if table not in DERIVED)

_ELSEWHERE = re.compile(r"e[0-9]+")

MAX_KEY, MAX_VALUE = 255, 60_000
_RANK = {table: rank for rank, table in enumerate(SET_ORDER)}
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_DIGITS = re.compile(r"[0-9]{1,15}")
_GATEWAY = re.compile(r"g[1-9][0-9]*")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")


def rank(row: Row | RowKey) -> int:
    """Place the row in the order in which rows are set; deletes go the other way round."""
    return _RANK[row.table]


def is_dispensable(key: RowKey) -> bool:
    """Tell whether no call fails for want of such a row, so that any number may go at once.

    Without prices a call goes out in the order of its line; how numbers begin elsewhere says which callers not to show,
    and customers who move from region to region bring and take thousands of these rows.
    """
    return key.table in PRICES or (key.table == "rg" and _ELSEWHERE.fullmatch(key.key) is not None)


def without_generation(key: RowKey) -> RowKey:
    """Name what the row says rather than which generation says it: `17.43.00:44` becomes `17..00:44`."""
    if key.table not in GENERATED:
        return key
    customer, _, rest = key.key.partition(".")
    generation, mark, tail = rest.partition("." if key.table == "rt" else ":")
    return RowKey(key.table, f"{customer}.{mark}{tail}") if generation.isdigit() else key


def is_superseded(key: RowKey, tenants: Mapping[str, str]) -> bool:
    """Tell whether these `tn` values, by their customers, name another generation than the row's: nothing reads it."""
    customer, _, rest = key.key.partition(".")
    if key.table not in GENERATED or customer not in tenants:
        return False
    return rest.partition("." if key.table == "rt" else ":")[0] != parameters(tenants[customer]).get("g")


def parameters(value: str) -> dict[str, str]:
    """Read `h=127.0.9.1;p=5060` as a dict."""
    pairs = (part.partition("=") for part in value.split(";"))
    return {name: text for name, _, text in pairs}


def source_address(ip_row: RowKey) -> str:
    """Give the address in the key of an `ip` row: `17:127.0.9.1`."""
    return ip_row.key.partition(":")[2]


def refusal(scope: str, row: Row, is_own: Callable[[str], bool]) -> str | None:
    """Say why this scope may not set this row, or None when it may; `is_own` knows the addresses of this machine."""
    kind, _, number = scope.partition(":")
    if row.table not in _RANK or row.table in DERIVED:
        return f"there is no table {row.table!r:.20} to send rows for"
    if len(row.key.encode()) > MAX_KEY or len(row.value.encode(errors="replace")) > MAX_VALUE:
        return f"longer than {MAX_KEY} bytes of key or {MAX_VALUE} of value"
    if _CONTROL.search(row.key) or _CONTROL.search(row.value):
        return "control characters in key or value"
    if not row.key or (" " in row.key and row.table != "au"):
        return "an empty key, or one with spaces"
    reason = _OWNER_RULES[row.table](kind, number, row)
    if reason is None and row.table == "ip" and is_own(source_address(RowKey(row.table, row.key))):
        return "a source address that is the SBC's own, or nobody's"
    return reason


def _only(*kinds: str) -> Callable[[str, str, Row], str | None]:
    def rule(kind: str, number: str, row: Row) -> str | None:
        return None if kind in kinds else f"a {kind} scope has no rows in {row.table}"

    return rule


def _own_prefix(mark: str) -> Callable[[str, str, Row], str | None]:
    """For keys that begin with their customer, `17:` or `17.`; an MSP's own begin with `m3:`."""

    def rule(kind: str, number: str, row: Row) -> str | None:
        prefix = f"{number}{mark}" if kind == "cust" else f"m{number}{mark}"
        tables = {"cust": ("ip", "fc", "em", "rt", "cl", "sc"), "msp": ("bl", "ip", "pt", "lc", "lt")}
        if row.table not in tables.get(kind, ()):
            return f"a {kind} scope has no rows in {row.table}"
        return None if row.key.startswith(prefix) else f"the key does not begin with {prefix}"

    return rule


def _base_domain(kind: str, number: str, row: Row) -> str | None:
    if kind != "msp" or row.value != number:
        return "a base domain belongs to the MSP that sends it"
    return None if _HOST.fullmatch(row.key) else "not a host name in lower case"


def _fqdn(kind: str, number: str, row: Row) -> str | None:
    if kind != "cust" or row.value != number:
        return "an FQDN belongs to the customer that sends it"
    return None if _HOST.fullmatch(row.key) else "not a host name in lower case"


def _number(kind: str, number: str, row: Row) -> str | None:
    if kind != "cust" or parameters(row.value).get("t") != number:
        return "a number belongs to the customer that sends it"
    return None if _DIGITS.fullmatch(row.key) else "not the digits of an E.164 number"


def _tenant(kind: str, number: str, row: Row) -> str | None:
    if kind != "cust" or row.key != number:
        return "a tenant row belongs to the customer that sends it"
    return None if parameters(row.value).get("g", "").isdigit() else "no generation (g=)"


def _gateway(kind: str, number: str, row: Row) -> str | None:
    if not _GATEWAY.fullmatch(row.key):
        return "a gateway is called g and its number"
    said = parameters(row.value)
    if ":" in said.get("h", ""):
        return "an IPv6 address: this SBC speaks IPv4 only"
    if kind == "cust":
        return None if said.get("o") == number else "a customer sends its own trunks only (o=)"
    if kind == "msp":
        own = said.get("m") == number and said.get("o") == "0"
        return None if own else "an MSP sends its own shared trunks only (m=)"
    return "a region scope has no rows in gw"


def _account(kind: str, number: str, row: Row) -> str | None:
    gateway, _, part = row.key.rpartition(".")
    if kind == "region" or not _GATEWAY.fullmatch(gateway) or part not in ("u", "p", "r"):
        return "an account row is called g12.u, g12.p or g12.r"
    return None


def _hours(kind: str, number: str, row: Row) -> str | None:
    refused = _own_prefix(".")(kind, number, row)
    if refused:
        return refused
    try:
        schedules.read(row.value)
    except ValueError as error:
        return str(error)
    return None


def _prices_by_time(kind: str, number: str, row: Row) -> str | None:
    refused = _own_prefix(".")(kind, number, row)
    if refused:
        return refused
    try:
        prices.read(row.value)
    except ValueError as error:
        return str(error)
    return None


def _source(kind: str, number: str, row: Row) -> str | None:
    refused = _own_prefix(":")(kind, number, row)
    if refused:
        return refused
    try:
        address = ipaddress.ip_address(source_address(RowKey(row.table, row.key)))
    except ValueError:
        return "not an IP address"
    if address.version == 6:
        return "an IPv6 address: this SBC speaks IPv4 only"
    gateways = row.value.split(",")
    if len(set(gateways)) < len(gateways) or not all(map(_GATEWAY.fullmatch, gateways)):
        return "a source address stands for gateways, each once"
    return None


def _credit(kind: str, number: str, row: Row) -> str | None:
    return credit.refusal(number, row) if kind == "credit" else f"a {kind} scope has no rows in cr"


_OWNER_RULES: dict[str, Callable[[str, str, Row], str | None]] = {
    "rg": _only("region"),
    "bd": _base_domain,
    "bl": _own_prefix(":"),
    "gw": _gateway,
    "au": _account,
    "ip": _source,
    "fq": _fqdn,
    "tn": _tenant,
    "dn": _number,
    "fc": _own_prefix(":"),
    "em": _own_prefix(":"),
    "rt": _own_prefix("."),
    "cl": _own_prefix("."),
    "sc": _hours,
    "cr": _credit,
    "pt": _prices_by_time,
    "lc": _own_prefix("."),
    "lt": _own_prefix("."),
}
