"""Whether an address is good enough to send help to. A provider's own service may stand behind the same interface."""

import re
from dataclasses import dataclass, field
from typing import Protocol

from django.utils.translation import gettext as _

from voice.directory.countries import address_rules
from voice.directory.models import CivicAddress


@dataclass(frozen=True)
class Verdict:
    """What a validator says: who it is, and what is wrong with which field. Nothing wrong means validated."""

    validator: str
    problems: dict[str, str] = field(default_factory=dict)

    @property
    def valid(self) -> bool:
        return not self.problems


class AddressValidator(Protocol):
    """Judges an address, by table or by asking an emergency provider."""

    def judge(self, address: CivicAddress) -> Verdict: ...


class TableValidator:
    """Judges by the table of countries: required parts, the postal code's shape, known states, a plausible point."""

    name = "address table"

    def judge(self, address: CivicAddress) -> Verdict:
        """Return what the country's rules say to the address."""
        rule = address_rules().get(address.country)
        if rule is None:
            return Verdict(
                self.name, {"country": _("There are no address rules for this country yet. Ask your provider.")}
            )
        problems = {
            name: _("Addresses in this country need this.")
            for name in rule["required"]
            if not getattr(address, name).strip()
        }
        postal_code = address.postal_code.strip().upper()
        if postal_code and rule["postal_code"] and not re.fullmatch(rule["postal_code"], postal_code):
            problems["postal_code"] = _("Postal codes here look like %(example)s.") % {"example": rule["example"]}
        states = rule.get("states")
        if states and address.state_or_province and address.state_or_province.strip().upper() not in states:
            problems["state_or_province"] = _("Use the state's short form, for example %(state)s.") % {
                "state": states[0]
            }
        if address.house_number and not any(letter.isdigit() for letter in address.house_number):
            problems["house_number"] = _("A house number has at least one digit.")
        box = rule.get("box")
        if box and address.latitude is not None and address.longitude is not None:
            west, south, east, north = box
            if not (west <= address.longitude <= east and south <= address.latitude <= north):
                problems["latitude"] = _("This point lies outside the country.")
        return Verdict(self.name, problems)
