"""`manage.py upgrade`: roles, public tables, the customers' template, and every customer."""

import os
from argparse import ArgumentParser
from typing import Any

import psycopg
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from portal.db import migrator, roles


class Command(BaseCommand):
    help = "Bring the database and every customer's tables to this version. Safe to run at any time, and twice."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--check", action="store_true", help="only say what is waiting; exit code 1 if anything is")
        parser.add_argument("--quiet", action="store_true", help="say nothing but the result")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["check"]:
            waiting = migrator.check()
            for line in waiting:
                self.stdout.write(line)
            if waiting:
                raise CommandError(f"{len(waiting)} things are waiting for `manage.py upgrade`.")
            self.stdout.write("Everything is up to date.")
            return
        try:
            server = roles.ensure(database_url(), os.environ.get("DATABASE_ADMIN_URL", ""))
        except (roles.RolesError, psycopg.OperationalError) as error:
            raise CommandError(str(error).strip())
        if server.warning:
            self.stderr.write(self.style.WARNING(server.warning))
        outcome = migrator.upgrade((lambda line: None) if options["quiet"] else self.stdout.write)
        for schema, reason in outcome.failed.items():
            self.stderr.write(self.style.ERROR(f"{schema}: {reason}"))
        for schema, lines in outcome.drifted.items():
            self.stderr.write(self.style.ERROR(f"{schema} differs from the template: {'; '.join(lines)}"))
        if not outcome.good:
            raise CommandError(f"{len(outcome.failed)} customers failed, {len(outcome.drifted)} differ. Run it again.")
        self.stdout.write(
            f"Up to date: {len(outcome.public)} public and {len(outcome.template)} customer migrations, "
            f"{outcome.customers} customers changed."
        )


def database_url() -> str:
    """Return the portal's own log-in as an address."""
    parameters = connection.get_connection_params()
    wanted = {name: parameters[name] for name in ("host", "port", "user", "password", "dbname") if parameters.get(name)}
    return psycopg.conninfo.make_conninfo(**wanted)
