"""The API of tenancy, by place: `portal/routes.py` finds the routes here."""

from tenants.api.brand import BrandViewSet, OwnHostViewSet
from tenants.api.customer import CompanyViewSet, CustomerViewSet
from tenants.api.people import AuditViewSet, InvitationViewSet, MeViewSet, TeamViewSet, TokenViewSet
from tenants.api.platform import BaseDomainViewSet, MspAdminViewSet, MspBaseDomainViewSet, RegionViewSet
from tenants.api.retention import (
    CustomerRules,
    LegalHolds,
    MspErasures,
    MspRules,
    OperatorErasures,
    OperatorRules,
)

_everywhere = [("me", MeViewSet, "me"), ("audit", AuditViewSet, "audit"), ("tokens", TokenViewSet, "token")]
_places = [*_everywhere, ("team", TeamViewSet, "team"), ("invitations", InvitationViewSet, "invitation")]
routes = [*_places, ("company", CompanyViewSet, "company"), ("retention-rules", CustomerRules, "retention-rule")]
msp_routes = [
    *_places,
    ("brand", BrandViewSet, "brand"),
    ("customers", CustomerViewSet, "customer"),
    ("base-domains", MspBaseDomainViewSet, "base-domain"),
    ("hosts", OwnHostViewSet, "host"),
    ("retention-rules", MspRules, "retention-rule"),
    ("erasures", MspErasures, "erasure"),
    ("legal-holds", LegalHolds, "legal-hold"),
]
operator_routes = [
    *_everywhere,
    ("msps", MspAdminViewSet, "msp"),
    ("regions", RegionViewSet, "region"),
    ("base-domains", BaseDomainViewSet, "base-domain"),
    ("retention-rules", OperatorRules, "retention-rule"),
    ("erasures", OperatorErasures, "erasure"),
]
