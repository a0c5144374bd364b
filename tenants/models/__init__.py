from tenants.models.brand import Brand
from tenants.models.customer import ChannelLimit, Customer, CustomerRegion, Domain
from tenants.models.own_host import OwnHost
from tenants.models.people import (
    CUSTOMER_ROLES,
    MSP_ROLES,
    Acting,
    ApiToken,
    Invitation,
    Membership,
    Role,
    User,
)
from tenants.models.platform import BaseDomain, Msp, Region
from tenants.models.retention import DataClass, Erasure, ErasureLine, LegalHold, RetentionRule

__all__ = [
    "CUSTOMER_ROLES",
    "MSP_ROLES",
    "Acting",
    "ApiToken",
    "BaseDomain",
    "Brand",
    "ChannelLimit",
    "Customer",
    "CustomerRegion",
    "DataClass",
    "Domain",
    "Erasure",
    "ErasureLine",
    "Invitation",
    "LegalHold",
    "Membership",
    "Msp",
    "OwnHost",
    "Region",
    "RetentionRule",
    "Role",
    "User",
]
