"""`manage.py demo`: people, places and data to look at; safe to run again."""

import json
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import apps
from django.core.management.base import BaseCommand, CommandParser

from sbc import lab
from tenants import addresses, demo

WEEKS = 5
LOGINS = [
    ("Customer, administrator", "acme", "alice@acme.example"),
    ("Customer, viewer", "acme", "victor@acme.example"),
    ("Another customer", "globex", "mallory@globex.example"),
    ("Customer of another MSP", "initech", "ines@initech.example"),
]


# The calls come after all that they need, and what is made of calls after them.
LAST = ("sbc", "voice.rerating")


class Command(BaseCommand):
    help = "Fill an empty installation with the demo: two MSPs, three customers, their people and telephony."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dir", type=Path, help="also write what the lab, the node and `make run` need there")

    def handle(self, *args: Any, **options: Any) -> None:
        cast = demo.cast()
        cast.directory, cast.weeks = options["dir"], WEEKS
        # Each app that has something to show brings `demo.seed`; the order of INSTALLED_APPS is that of need.
        place = {name: number for number, name in enumerate(LAST, 1)}
        for config in sorted(apps.get_app_configs(), key=lambda config: place.get(config.name, 0)):
            if config.name != "tenants" and find_spec(f"{config.name}.demo"):
                import_module(f"{config.name}.demo").seed(cast)
        if options["dir"]:
            options["dir"].mkdir(parents=True, exist_ok=True)
            (options["dir"] / "scenario.json").write_text(json.dumps(lab.scenario(cast.customers), indent=1))
            (options["dir"] / "ready.json").write_text(json.dumps(_places(cast), indent=1))
        self.stdout.write(f"{len(cast.msps)} MSPs, {len(cast.customers)} customers")


def _places(cast: demo.Cast) -> list[dict[str, str]]:
    places = [("Operator", addresses.operator_host(), "operator@strowger.example")]
    for msp in cast.msps:
        owner = next(email for email, facts in demo.PEOPLE.items() if facts[1] == msp.slug)
        places.append((f"MSP {msp.name}", addresses.msp_host(msp), owner))
    for who, label, email in LOGINS:
        customer = cast.customer(label)
        places.append((f"{who}: {customer.name}", addresses.customer_host(customer), email))
    return [{"who": who, "host": host, "login": email, "password": demo.PASSWORD} for who, host, email in places]
