"""How an MSP looks to its customers, and the host names of its own."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer

from portal.core.api import MspViewSet
from tenants import selectors, services
from tenants.models import Brand, OwnHost
from tenants.serializers import BrandSerializer, OwnHostSerializer


class BrandViewSet(MspViewSet):
    """Your one brand: name, colour, logo and support contact; use If-Match to overwrite nobody."""

    capability = "brand"
    queryset = Brand.objects.none()
    serializer_class = BrandSerializer
    http_method_names: ClassVar[list[str]] = ["get", "patch", "head", "options"]

    def get_queryset(self) -> QuerySet[Brand]:
        return Brand.objects.filter(msp=self.request._request.msp)  # type: ignore[attr-defined]

    def write(self, serializer: BaseSerializer[Any], instance: Brand | None) -> Brand:
        assert instance is not None
        facts = dict(serializer.validated_data)
        # Nothing said of the logo leaves it as it is; null takes it away.
        without, logo = facts.get("logo", b"") is None, facts.pop("logo", None)
        for name, value in facts.items():
            setattr(instance, name, value)
        return services.save_brand(instance, by=self.actor, logo=logo, remove_logo=without)


class OwnHostViewSet(MspViewSet):
    """Host names of your own for your console and your customers' portals."""

    capability = "domains"
    queryset = OwnHost.objects.none()
    serializer_class = OwnHostSerializer
    http_method_names: ClassVar[list[str]] = ["get", "post", "delete", "head", "options"]
    remove = staticmethod(services.remove_host)

    def get_queryset(self) -> QuerySet[OwnHost]:
        return selectors.own_hosts(self.request._request.msp)  # type: ignore[attr-defined]

    def write(self, serializer: BaseSerializer[Any], instance: OwnHost | None) -> OwnHost:
        msp, facts = self.request._request.msp, serializer.validated_data  # type: ignore[attr-defined]
        tenant = None
        if facts.get("tenant_id") is not None:
            tenant = selectors.customers_of(msp).filter(pk=facts["tenant_id"]).first()
            if tenant is None:
                raise ValidationError({"customer": _("Choose one of your own customers.")})
        return services.add_host(OwnHost(msp=msp, tenant=tenant, host=facts["host"]), by=self.actor)

    @extend_schema(request=None, responses=OwnHostSerializer)
    @action(detail=True, methods=["post"])
    def check(self, request: Request, pk: str) -> Response:
        """Look for the TXT record now; 400 says what is missing."""
        return Response(self.get_serializer(services.check_host(self.get_object(), by=self.actor)).data)

    @extend_schema(request=None, responses=OwnHostSerializer)
    @action(detail=True, methods=["post"], url_path="use-in-links")
    def use_in_links(self, request: Request, pk: str) -> Response:
        """Let mails and links use this name from now on."""
        own = self.get_object()
        services.use_in_links(own, by=self.actor)
        return Response(self.get_serializer(own).data)
