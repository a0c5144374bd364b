"""`manage.py createoperator EMAIL`: the first person of a new installation."""

from argparse import ArgumentParser
from getpass import getpass
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from portal.core import audit
from portal.core.audit import Actor
from tenants import addresses
from tenants.models import User


class Command(BaseCommand):
    help = "Make somebody an operator of this installation; asks for the password of a new log-in."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"].strip().lower()
        user = User.objects.filter(email=email).first() or User(email=email)
        if user.pk is None:
            password = getpass("Password: ")
            try:
                validate_password(password, user)
            except ValidationError as error:
                raise CommandError(" ".join(error.messages))
            user.set_password(password)
        user.is_operator = True
        try:
            user.full_clean()
        except ValidationError as error:
            raise CommandError(" ".join(error.messages))
        user.save()
        audit.record(Actor.system("createoperator"), "operator.made", user)
        self.stdout.write(f"{email} may log in at {addresses.url(addresses.operator_host(), '/')}")
