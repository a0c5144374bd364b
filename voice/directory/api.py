"""The directory for programs."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import TenantViewSet
from voice.directory import services
from voice.directory.models import CivicAddress, Person, Place, Site


class PersonSerializer(serializers.ModelSerializer[Person]):
    row_version = serializers.IntegerField(required=False)
    site = serializers.PrimaryKeyRelatedField(queryset=Site.objects.all(), allow_null=True, required=False)

    class Meta:
        model = Person
        fields = ["id", "name", "email", "site", "row_version"]
        validators: list[Any] = []


class SiteSerializer(serializers.ModelSerializer[Site]):
    row_version = serializers.IntegerField(required=False)
    address = serializers.PrimaryKeyRelatedField(queryset=CivicAddress.objects.all(), allow_null=True, required=False)

    class Meta:
        model = Site
        fields = ["id", "name", "address", "row_version"]
        validators: list[Any] = []


class AddressSerializer(serializers.ModelSerializer[CivicAddress]):
    """A street address; it is a draft until /validate/ finds nothing wrong, and never changes after that."""

    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = CivicAddress
        fields = [
            "id", "company", "house_number", "street", "city", "postal_code", "state_or_province", "country",
            "latitude", "longitude", "validation", "validated_at", "validated_by", "row_version",
        ]  # fmt: skip
        read_only_fields = ["validation", "validated_at", "validated_by"]


class PlaceSerializer(serializers.ModelSerializer[Place]):
    row_version = serializers.IntegerField(required=False)
    address = serializers.PrimaryKeyRelatedField(queryset=CivicAddress.objects.all())

    class Meta:
        model = Place
        fields = ["id", "address", "description", "row_version"]
        validators: list[Any] = []


class PersonViewSet(TenantViewSet):
    """People who may have a number."""

    serializer_class = PersonSerializer
    capability = "people"
    save = staticmethod(services.save_person)
    remove = staticmethod(services.delete_person)

    def get_queryset(self) -> QuerySet[Person]:
        return Person.objects.all()


class SiteViewSet(TenantViewSet):
    """The customer's sites."""

    serializer_class = SiteSerializer
    capability = "people"
    save = staticmethod(services.save_site)
    remove = staticmethod(services.delete_site)

    def get_queryset(self) -> QuerySet[Site]:
        return Site.objects.all()


class AddressViewSet(TenantViewSet):
    """Civic addresses."""

    serializer_class = AddressSerializer
    capability = "people"
    save = staticmethod(services.save_address)
    remove = staticmethod(services.delete_address)

    def get_queryset(self) -> QuerySet[CivicAddress]:
        return CivicAddress.objects.all()

    @extend_schema(request=None)
    @action(detail=True, methods=["post"])
    def validate(self, request: Request, pk: str | None = None) -> Response:
        """Have the address judged; every problem comes back at its field."""
        address = services.validate_address(self.get_object(), by=self.actor)
        return Response(self.get_serializer(address).data)


class PlaceViewSet(TenantViewSet):
    """Floors, wings and rooms at addresses."""

    serializer_class = PlaceSerializer
    capability = "people"
    save = staticmethod(services.save_place)
    remove = staticmethod(services.delete_place)

    def get_queryset(self) -> QuerySet[Place]:
        return Place.objects.all()


routes = [
    ("people", PersonViewSet, "person"),
    ("sites", SiteViewSet, "site"),
    ("addresses", AddressViewSet, "address"),
    ("places", PlaceViewSet, "place"),
]
