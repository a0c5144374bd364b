"""The customer's people, sites, civic addresses and places."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _


class CivicAddressQuerySet(models.QuerySet["CivicAddress"]):
    def validated(self) -> "CivicAddressQuerySet":
        return self.filter(validation=CivicAddress.Validation.VALIDATED)


class CivicAddress(models.Model):
    """A street address that emergency services can be sent to, once it is validated."""

    class Validation(models.TextChoices):
        DRAFT = "draft", _("Draft")
        VALIDATED = "validated", _("Validated")

    company = models.TextField(_("company"), max_length=100)
    house_number = models.TextField(_("house number"), max_length=20, blank=True)
    street = models.TextField(_("street"), max_length=120)
    city = models.TextField(_("city"), max_length=100)
    postal_code = models.TextField(_("postal code"), max_length=16, blank=True)
    state_or_province = models.TextField(_("state or province"), max_length=60, blank=True)
    country = models.TextField(_("country"), max_length=2)
    latitude = models.FloatField(
        _("latitude"), null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)]
    )
    longitude = models.FloatField(
        _("longitude"), null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)]
    )
    validation = models.TextField(_("state"), choices=Validation, default=Validation.DRAFT, editable=False)
    validated_at = models.DateTimeField(null=True, editable=False)
    validated_by = models.TextField(blank=True, editable=False)
    row_version = models.PositiveIntegerField(default=0, editable=False)

    objects = CivicAddressQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="directory_address_country_code",
                condition=Q(country__regex=r"^[A-Z]{2}$"),
                violation_error_message=_("Choose a country."),
            ),
            models.CheckConstraint(
                name="directory_address_whole_point",
                condition=Q(latitude=None, longitude=None) | Q(latitude__isnull=False, longitude__isnull=False),
                violation_error_message=_("Enter both latitude and longitude, or neither."),
            ),
            models.CheckConstraint(
                name="directory_address_validated_when",
                condition=Q(validation="draft") | Q(validation="validated", validated_at__isnull=False),
                violation_error_message=_("A validated address needs the time of its validation."),
            ),
        ]

    def __str__(self) -> str:
        street = f"{self.street} {self.house_number}".strip()
        town = f"{self.postal_code} {self.city}".strip()
        return ", ".join(part for part in (self.company, street, town, self.country) if part)

    @property
    def is_validated(self) -> bool:
        return self.validation == self.Validation.VALIDATED


class Site(models.Model):
    """A building or campus of the customer."""

    name = models.TextField(_("name"), max_length=80)
    address = models.ForeignKey(
        CivicAddress, models.PROTECT, null=True, blank=True, related_name="sites", verbose_name=_("address")
    )
    row_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                name="directory_site_name_once",
                violation_error_message=_("There is already a site with this name."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Person(models.Model):
    """Somebody who works for the customer and may have a number."""

    name = models.TextField(_("name"), max_length=120)
    email = models.TextField(_("e-mail"), max_length=254, blank=True)
    site = models.ForeignKey(
        Site, models.SET_NULL, null=True, blank=True, related_name="people", verbose_name=_("site")
    )
    row_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                Lower("email"),
                name="directory_person_email_once",
                condition=~Q(email=""),
                violation_error_message=_("There is already a person with this e-mail address."),
            )
        ]

    def __str__(self) -> str:
        return self.name


class Place(models.Model):
    """A spot at an address, as exact as a rescuer needs it: a floor, a wing, a room."""

    address = models.ForeignKey(CivicAddress, models.PROTECT, related_name="places", verbose_name=_("address"))
    description = models.TextField(_("floor, wing or room"), max_length=100)
    row_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "address",
                Lower("description"),
                name="directory_place_once",
                violation_error_message=_("There is already a place with this description at the address."),
            )
        ]

    def __str__(self) -> str:
        return f"{self.description}, {self.address}"
