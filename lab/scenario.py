"""Who lives in the lab: base domains, customers with their numbers, and carriers, read from a JSON file.

{
 "bases": ["sbc.northwind.example"],
 "open": true,
 "customers": [
  {"name": "acme", "fqdn": "acme.sbc.northwind.example", "numbers": ["+493023125001"], "country": "DE",
   "carriers": ["A"], "destinations": ["+442079460123"], "calls_per_minute": 2}
 ],
 "carriers": [
  {"name": "A", "host": "127.0.9.1", "port": 5060, "transport": "udp",
   "username": "strowger", "password": "secret", "realm": "carrier.lab"}
 ],
 "addresses": {"sbc.northwind.example": "127.0.5.1:5061"}
}

Only names, FQDNs, numbers and bases are required; a carrier with a username asks for the password.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from lab.carrier import CarrierSettings
from lab.digest import Account
from lab.rules import Directory
from lab.transport import Address


@dataclass(frozen=True)
class Customer:
    """One customer's tenant: its FQDNs, its numbers, and the traffic that it has."""

    name: str
    fqdn: str
    numbers: tuple[str, ...]
    country: str = "DE"
    # The carriers that calls to this customer come from; empty is any.
    carriers: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    calls_per_minute: float = 2.0


@dataclass(frozen=True)
class Scenario:
    """Everybody in the lab."""

    bases: tuple[str, ...] = ()
    customers: tuple[Customer, ...] = ()
    carriers: tuple[CarrierSettings, ...] = ()
    # Stands in for DNS where a base is not at the usual address.
    addresses: dict[str, Address] = field(default_factory=dict)
    open: bool = False

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a scenario file."""
        return cls.of(json.loads(path.read_text()))

    @classmethod
    def of(cls, data: dict[str, Any]) -> Self:
        """Build a scenario from plain data."""
        return cls(
            bases=tuple(data.get("bases", ())),
            customers=tuple(_customer(one) for one in data.get("customers", ())),
            carriers=tuple(_carrier(one) for one in data.get("carriers", ())),
            addresses={fqdn: _address(text) for fqdn, text in data.get("addresses", {}).items()},
            open=bool(data.get("open", False)),
        )

    def directory(self) -> Directory:
        """Return what Microsoft knows of the customers."""
        directory = Directory(bases={base.lower() for base in self.bases}, open=self.open)
        for customer in self.customers:
            directory.customers.setdefault(customer.fqdn.lower(), set()).update(customer.numbers)
        return directory

    def owner_of(self, number: str) -> Customer | None:
        """Return the customer that has the number."""
        return next((customer for customer in self.customers if number in customer.numbers), None)

    def named(self, name: str) -> Customer | None:
        """Return the customer of that name or FQDN; in an open scenario any FQDN under a base is one."""
        name = name.lower()
        known = next((one for one in self.customers if name in (one.name.lower(), one.fqdn.lower())), None)
        if known is None and self.open and name.partition(".")[2] in self.bases:
            return Customer(name, name, ())
        return known


def _customer(data: dict[str, Any]) -> Customer:
    return Customer(
        name=data["name"],
        fqdn=data["fqdn"],
        numbers=tuple(data.get("numbers", ())),
        country=data.get("country", "DE"),
        carriers=tuple(data.get("carriers", ())),
        destinations=tuple(data.get("destinations", ())),
        calls_per_minute=float(data.get("calls_per_minute", 2.0)),
    )


def _carrier(data: dict[str, Any]) -> CarrierSettings:
    account = None
    if data.get("username"):
        account = Account(data["username"], data.get("password", ""), data.get("realm") or "carrier.lab")
    address = (data.get("host", "127.0.9.1"), int(data.get("port", 5060)))
    return CarrierSettings(data["name"], address, account, data.get("transport", "udp"))


def _address(text: str) -> Address:
    host, _, port = text.rpartition(":")
    return host, int(port)
