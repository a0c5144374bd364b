"""What a customer's rows name of its MSP's: for these a change of the customer waits, and for nothing else. Pure."""

from collections.abc import Iterable, Mapping

from sbc.rows import Row

Key = tuple[str, str]


def waits_for(
    wanted: Iterable[Row], running: Iterable[Row], brought: Mapping[Key, str], held: Mapping[Key, str]
) -> bool:
    """Tell whether the `wanted` rows newly name a row that a node lacks because it has not taken an outer version.

    That version would have `brought` its rows; the node still has those `held`. What the `running` rows name already is
    no reason to wait: going on makes nothing of it worse.
    """
    return any(key in brought and brought[key] != held.get(key) for key in named(wanted) - named(running))


def named(rows: Iterable[Row]) -> set[Key]:
    """Return the rows that a customer's rows rely on: trunks, base domains and tables of prices."""
    found: set[Key] = set()
    msp, by_price = "", False
    for row in rows:
        said = dict(part.partition("=")[::2] for part in row.value.split(";"))
        gateways = ""
        if row.table in ("rt", "em"):
            gateways = said.get("g", "")
            by_price = by_price or "o" in said
        elif row.table == "ip":
            gateways = row.value
        elif row.table == "dn":
            gateways = said["in"]
        elif row.table == "fq":
            found.add(("bd", row.key.partition(".")[2]))
        elif row.table == "tn":
            msp = said["m"]
            if "lp" in said:
                found.add(("lt", f"m{msp}.{said['lp']}"))
        found |= {("gw", gateway) for gateway in gateways.split(",")}
    return found | {("lt", f"m{msp}.0")} if by_price else found
