"""Lists of countries and currencies by name, for fields that store an ISO code."""

from typing import Any

from django import forms
from django.utils.translation import gettext as _

from tenants.countries import country_choices
from tenants.currencies import currency_choices


def country_options() -> list[tuple[str, Any]]:
    """Return every country after an empty choice: a wrong default would be a wrong emergency number."""
    return [("", _("Choose a country")), *country_choices()]


def currency_options() -> list[tuple[str, Any]]:
    """Return every currency after an empty choice, those with daily rates first."""
    usual, others = currency_choices()
    return [("", _("Choose a currency")), (_("With daily rates"), usual), (_("Others"), others)]


class CodeSelect(forms.Select):
    """A list of codes by name; one that is stored but no longer offered stays, so that saving does not change it."""

    def optgroups(self, name: str, value: list[str], attrs: dict[str, Any] | None = None) -> Any:
        found = super().optgroups(name, value, attrs)
        offered = {option["value"] for _name, options, _place in found for option in options}
        missing = [code for code in value if code not in offered]
        return found + [
            (None, [self.create_option(name, code, code, True, len(found) + place, attrs=attrs)], len(found) + place)
            for place, code in enumerate(missing)
        ]


class CountrySelect(CodeSelect):
    """Countries by name."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, country_options)  # type: ignore[arg-type]  # Django asks it for each page


class CurrencySelect(CodeSelect):
    """Currencies by code and name."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs, currency_options)  # type: ignore[arg-type]  # as above
