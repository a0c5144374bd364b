"""Numbers in E.164 and secrets at rest: read at the edge, stored in one form only."""

import re
from functools import lru_cache
from typing import Any

import phonenumbers
from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

E164 = re.compile(r"\+[1-9][0-9]{6,14}\Z")
LONGEST_TYPED = 40


class E164Field(models.TextField):  # type: ignore[type-arg]
    """A telephone number as `+` and 7 to 15 digits; the database refuses every other form."""

    description = gettext_lazy("Telephone number (E.164)")
    default_validators = [RegexValidator(E164, gettext_lazy("Use the international form, such as +49301234567."))]

    def db_check(self, connection: Any) -> str:
        return f"\"{self.column}\" ~ '^[+][1-9][0-9]{{6,14}}$'"


def parse_number(text: str, country: str) -> str:
    """Return what somebody typed as E.164, reading national forms as of `country`; raises ValidationError."""
    typed = text.strip()
    try:
        if len(typed) > LONGEST_TYPED:
            raise phonenumbers.NumberParseException(phonenumbers.NumberParseException.TOO_LONG, "")
        number = phonenumbers.parse(typed, country.upper() or None)
    except phonenumbers.NumberParseException:
        raise ValidationError(
            _("%(number)s is not a telephone number.") % {"number": typed[:LONGEST_TYPED]}, code="number"
        )
    parsed = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if number.extension or not E164.match(parsed) or not phonenumbers.is_possible_number(number):
        raise ValidationError(
            _("%(number)s is not a whole telephone number. Begin numbers of other countries with + and their code.")
            % {"number": typed},
            code="number",
        )
    return str(parsed)


def format_number(e164: str) -> str:
    """Return the number as people write it, such as +49 30 1234567; what is no number is returned as it is."""
    try:
        number = phonenumbers.parse(e164, None)
    except phonenumbers.NumberParseException:
        return e164
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL))


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]
    """Text that is stored encrypted with the first of SECRET_BOX_KEYS and read with any of them."""

    description = gettext_lazy("Encrypted text")

    def get_prep_value(self, value: Any) -> Any:
        if not value:
            return value
        return _box(tuple(settings.SECRET_BOX_KEYS)).encrypt(str(value).encode()).decode()

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> str | None:
        if not value:
            return value
        try:
            return _box(tuple(settings.SECRET_BOX_KEYS)).decrypt(value.encode()).decode()
        except InvalidToken as error:
            raise ImproperlyConfigured("A stored secret was encrypted with none of SECRET_BOX_KEYS.") from error

    def get_lookup(self, lookup_name: str) -> Any:
        # The same text is encrypted differently each time: a comparison would silently find nothing.
        if lookup_name == "isnull":
            return super().get_lookup(lookup_name)
        raise TypeError(f"{self.name} is encrypted and cannot be searched.")


@lru_cache(maxsize=4)
def _box(keys: tuple[str, ...]) -> MultiFernet:
    if not keys:
        raise ImproperlyConfigured("Set SECRET_BOX_KEYS, or run `make run` once: it makes one.")
    return MultiFernet([Fernet(key) for key in keys])
