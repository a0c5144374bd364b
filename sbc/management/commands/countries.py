"""`manage.py countries`: put the operator's own rows of the table of countries in force."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from sbc import services
from tenants.countries import country_name
from tenants.models import Customer
from voice.directory.countries import own_rows


class Command(BaseCommand):
    help = "Check the table in COUNTRIES_FILE and open every customer's next version; nodes get what differs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="say what is in it and change nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.COUNTRIES_FILE
        try:
            rows = own_rows(path.read_text()) if path.exists() else {}
        except (OSError, ValueError) as error:
            raise CommandError(f"{path}: {error}. Nothing was changed.")
        if not rows:
            self.stdout.write(f"{path} is not there or empty: the table that comes with Strowger is in force.")
        for code, row in sorted(rows.items()):
            dials = ", ".join(each["dial"] + (" (test)" if each["test"] else "") for each in row["numbers"])
            self.stdout.write(f"{code} {country_name(code)}: {dials}; {row['source']} ({row['date']})")
        if not options["check"]:
            self.stdout.write(f"{services.recompile(Customer)} customers")
