"""Numbers and secrets: one form in the database, whatever people type."""

import pytest
from cryptography.fernet import Fernet
from django.core.exceptions import ImproperlyConfigured, ValidationError

from portal.core.fields import E164Field, EncryptedTextField, format_number, parse_number


@pytest.mark.parametrize(
    ("typed", "country", "stored"),
    [
        ("030 1234567", "DE", "+49301234567"),
        (" +49 (30) 1234-567 ", "US", "+49301234567"),
        ("0049 30 1234567", "DE", "+49301234567"),
        ("(202) 555-0123", "us", "+12025550123"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("٠٣٠ ١٢٣٤٥٦٧", "DE", "+49301234567"),
    ],
)
def test_people_type_numbers_in_many_ways(typed, country, stored):
    assert parse_number(typed, country) == stored


@pytest.mark.parametrize(
    "typed",
    ["", "abc", "112", "12", "+", "+0301234567", "+49 30 1234567 ext. 5", "1" * 10_000, "+49'; DROP", "<script>"],
)
def test_what_is_no_number_is_told_so(typed):
    with pytest.raises(ValidationError) as refusal:
        parse_number(typed, "DE")
    assert len(refusal.value.messages[0]) < 120


def test_numbers_are_shown_as_people_write_them():
    assert format_number("+49301234567") == "+49 30 1234567"
    assert format_number("112") == "112"


@pytest.mark.parametrize(
    "value", ["+0301234567", "49301234567", "+4930123456789012", "+49 301234567", "+49301234567\n"]
)
def test_e164_takes_one_form_only(value):
    with pytest.raises(ValidationError):
        E164Field().run_validators(value)


def stored(field, value):
    return field.get_prep_value(value)


def test_a_secret_is_not_what_is_stored_and_comes_back(settings):
    field = EncryptedTextField()
    first = stored(field, "sesame")
    assert "sesame" not in first
    assert first != stored(field, "sesame")
    assert field.from_db_value(first, None, None) == "sesame"

    old, settings.SECRET_BOX_KEYS = (
        settings.SECRET_BOX_KEYS,
        [Fernet.generate_key().decode(), *settings.SECRET_BOX_KEYS],
    )
    assert field.from_db_value(first, None, None) == "sesame"
    settings.SECRET_BOX_KEYS = [key for key in settings.SECRET_BOX_KEYS if key not in old]
    with pytest.raises(ImproperlyConfigured):
        field.from_db_value(first, None, None)


def test_a_secret_cannot_be_searched_and_needs_a_key(settings):
    with pytest.raises(TypeError, match="encrypted"):
        EncryptedTextField(name="password").get_lookup("exact")
    assert stored(EncryptedTextField(), "") == ""
    settings.SECRET_BOX_KEYS = []
    with pytest.raises(ImproperlyConfigured, match="SECRET_BOX_KEYS"):
        stored(EncryptedTextField(), "sesame")
