"""Every write to people, sites, addresses and places."""

from collections.abc import Callable
from typing import TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext as _

from portal.core import audit
from portal.core.audit import Actor
from portal.db import contexts
from tenants.models import Customer
from tenants.scopes import config_changed
from voice.directory.models import CivicAddress, Person, Place, Site
from voice.directory.validation import AddressValidator, TableValidator
from voice.edits import facts, locked

M = TypeVar("M", bound=models.Model)
Hearer = Callable[[Person], None]
_hearers: list[Hearer] = []
ADDRESS_FACTS = (
    "company", "house_number", "street", "city", "postal_code", "state_or_province", "country", "latitude", "longitude",
    "validation",
)  # fmt: skip


def hears_of_removal(hear: Hearer) -> Hearer:
    """Register who is told of a person before it is removed: this layer cannot call the ones above."""
    _hearers.append(hear)
    return hear


def save_person(person: Person, *, by: Actor) -> Person:
    """Store a new or changed person."""
    person.email = person.email.strip().lower()
    return _save(person, "person", ("name", "email", "site"), by=by)


@transaction.atomic
def delete_person(person: Person, *, by: Actor) -> None:
    """Remove a person; numbers of theirs stay, without a name."""
    # Whoever gives the person a number just now is through first, or finds nobody any more.
    Person.objects.select_for_update().filter(pk=person.pk).first()
    for hear in _hearers:
        hear(person)
    _delete(person, "person", ("name", "email"), _("%s is still in use."), by=by)


def save_site(site: Site, *, by: Actor) -> Site:
    """Store a new or changed site."""
    return _save(site, "site", ("name", "address"), by=by)


def delete_site(site: Site, *, by: Actor) -> None:
    """Remove a site; its people stay."""
    _delete(site, "site", ("name",), _("%s is still in use."), by=by)


@transaction.atomic
def save_place(place: Place, *, by: Actor) -> Place:
    """Store a new or changed place; one that numbers stand on cannot move to another address."""
    stored = Place.objects.filter(pk=place.pk).first() if place.pk else None
    if stored and stored.address_id != place.address_id and _numbers_at(stored):
        raise ValidationError(
            {"address": _("Numbers are registered here. Add a new place and move the numbers to it.")}
        )
    if place.address_id and (not stored or stored.address_id != place.address_id):
        _follow_countries(place, {place.address.country})
    return _save(place, "place", ("description", "address"), by=by)


@transaction.atomic
def delete_place(place: Place, *, by: Actor) -> None:
    """Remove a place where no number stands."""
    _follow_countries(place, set())
    words = _("Numbers have their emergency location at %s. Move them to another place first.")
    _delete(place, "place", ("description", "address"), words, by=by)


@transaction.atomic
def save_address(address: CivicAddress, *, by: Actor) -> CivicAddress:
    """Store a new or changed address as a draft; a validated one never changes under the numbers that rely on it."""
    address.country = address.country.strip().upper()
    if CivicAddress.objects.exclude(country=address.country).filter(pk=address.pk, places__isnull=False).exists():
        config_changed(_customer())
    stored = locked(address)
    if stored and stored.is_validated:
        raise ValidationError(
            _("A validated address cannot be changed. Add the new address, validate it, and move your places to it.")
        )
    address.full_clean()
    address.validation = CivicAddress.Validation.DRAFT
    address.row_version += 1
    address.save()
    audit.record(by, "address.saved", address, before=facts(stored, ADDRESS_FACTS), after=facts(address, ADDRESS_FACTS))
    return address


@transaction.atomic
def validate_address(address: CivicAddress, *, by: Actor, validator: AddressValidator | None = None) -> CivicAddress:
    """Ask the validator about the address and mark it validated, or raise ValidationError with every problem."""
    stored = locked(address)
    if stored is None or stored.is_validated:
        return address
    verdict = (validator or TableValidator()).judge(stored)
    if not verdict.valid:
        raise ValidationError({field: [words] for field, words in verdict.problems.items()})
    address.validation = CivicAddress.Validation.VALIDATED
    address.validated_at = timezone.now()
    address.validated_by = verdict.validator
    address.row_version += 1
    address.save(update_fields=["validation", "validated_at", "validated_by", "row_version"])
    audit.record(by, "address.validated", address, validator=verdict.validator)
    return address


def delete_address(address: CivicAddress, *, by: Actor) -> None:
    """Remove an address that no place and no site uses."""
    words = _("Places or sites still use %s. Move them to another address first.")
    _delete(address, "address", ADDRESS_FACTS, words, by=by)


def _follow_countries(place: Place, countries: set[str]) -> None:
    """Open the customer's next version where its places come to lie in other countries: each has emergency numbers."""
    customer = _customer()
    others = {customer.country, *Place.objects.exclude(pk=place.pk).values_list("address__country", flat=True)}
    before = others | set(Place.objects.filter(pk=place.pk).values_list("address__country", flat=True))
    if others | countries != before:
        config_changed(customer)


def _customer() -> Customer:
    return Customer.objects.get(pk=contexts.current().tenant or 0)


def _numbers_at(place: Place) -> bool:
    # numbers is above this layer: the relation exists by name only.
    return bool(place.numbers.exists())


@transaction.atomic
def _save(obj: M, noun: str, names: tuple[str, ...], *, by: Actor) -> M:
    stored = locked(obj)
    obj.full_clean()
    obj.row_version += 1  # type: ignore[attr-defined]
    obj.save()
    audit.record(by, f"{noun}.saved", obj, before=facts(stored, names), after=facts(obj, names))
    return obj


@transaction.atomic
def _delete(obj: models.Model, noun: str, names: tuple[str, ...], in_use: str, *, by: Actor) -> None:
    locked(obj)
    audit.record(by, f"{noun}.deleted", obj, before=facts(obj, names))
    try:
        obj.delete()
    except ProtectedError:
        raise ValidationError(in_use % obj)
