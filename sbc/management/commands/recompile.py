"""`manage.py recompile`: compile everything anew, for a version of the portal that compiles differently."""

from typing import Any

from django.core.management.base import BaseCommand

from sbc import services


class Command(BaseCommand):
    help = "Open the next version of every region, MSP and customer; nodes get what differs and nothing else."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{services.recompile()} scopes")
