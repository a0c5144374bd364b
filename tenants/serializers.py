"""The shapes of tenancy in the API; nothing here saves."""

from base64 import b64decode
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from portal.core.models import AuditEntry
from tenants.models import (
    CUSTOMER_ROLES,
    MSP_ROLES,
    ApiToken,
    BaseDomain,
    Brand,
    Customer,
    Invitation,
    Membership,
    Msp,
    OwnHost,
    Region,
)
from tenants.png import MOST_BYTES


class CustomerSerializer(serializers.ModelSerializer[Customer]):
    """A customer as its MSP sees it; label and admin_email count at creation only."""

    fqdns = serializers.SerializerMethodField()
    is_live = serializers.BooleanField(read_only=True)
    admin_email = serializers.EmailField(write_only=True, required=False, allow_blank=True)

    class Meta:
        model = Customer
        fields = [
            "id", "name", "label", "country", "time_zone", "state", "cps", "channels", "longest_call_minutes",
            "caller_id_policy", "foreign_caller_id", "fqdns", "config_version", "live_version", "is_live", "created_at",
            "retain_until", "admin_email",
        ]  # fmt: skip
        read_only_fields = ["state", "config_version", "live_version", "created_at", "retain_until"]
        validators: list[Any] = []

    def get_fqdns(self, customer: Customer) -> list[str]:
        return sorted(name.fqdn for name in customer.customer_regions.all())


class EverybodySerializer(serializers.Serializer[Msp]):
    """What holds for customers that have no value of their own; null is 12 hours."""

    longest_call_minutes = serializers.IntegerField(min_value=1, max_value=720, allow_null=True)


class CompanySerializer(serializers.ModelSerializer[Customer]):
    """A customer as it sees itself."""

    hide_numbers = serializers.BooleanField()

    class Meta:
        model = Customer
        fields = ["id", "name", "country", "time_zone", "cps", "channels", "hide_numbers"]
        read_only_fields = ["name", "country", "time_zone", "cps", "channels"]
        validators: list[Any] = []


class ReasonSerializer(serializers.Serializer[Any]):
    """Why; with `typed`, the name of what is about to end."""

    reason = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    typed = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class LeavesOpenSerializer(serializers.Serializer[Any]):
    """What a customer leaves open where it is closed, each in a sentence."""

    leaves_open = serializers.ListField(child=serializers.CharField())


class WhySerializer(serializers.Serializer[Any]):
    """Why; it is kept in the audit log."""

    reason = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)


class OwnerSerializer(serializers.Serializer[Any]):
    """Whom to invite as an owner."""

    email = serializers.EmailField()


class MemberSerializer(serializers.ModelSerializer[Membership]):
    """Somebody in a team."""

    email = serializers.EmailField(source="user.email", read_only=True)
    name = serializers.CharField(source="user.name", read_only=True)
    role = serializers.ChoiceField(choices=[*MSP_ROLES, *CUSTOMER_ROLES])
    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = Membership
        fields = ["id", "email", "name", "role", "created_at", "row_version"]
        read_only_fields = ["created_at"]


class InvitationSerializer(serializers.Serializer[Any]):
    """Whom to invite, and as what."""

    email = serializers.EmailField()
    role = serializers.ChoiceField(choices=[*MSP_ROLES, *CUSTOMER_ROLES])


class OpenInvitationSerializer(serializers.ModelSerializer[Invitation]):
    """Somebody who was invited and has not joined yet."""

    role = serializers.ChoiceField(choices=[*MSP_ROLES, *CUSTOMER_ROLES], read_only=True)

    class Meta:
        model = Invitation
        fields = ["id", "email", "role", "created_at", "sent_at", "expires_at"]
        read_only_fields = fields


class TokenSerializer(serializers.ModelSerializer[ApiToken]):
    """An API token; `secret` is in the answer to its creation only."""

    scopes = serializers.ListField(child=serializers.CharField(max_length=40), max_length=60)
    user = serializers.EmailField(source="user.email", read_only=True)
    secret = serializers.SerializerMethodField()

    class Meta:
        model = ApiToken
        fields = [
            "id",
            "name",
            "hint",
            "user",
            "scopes",
            "created_at",
            "expires_at",
            "last_used_at",
            "revoked_at",
            "secret",
        ]
        read_only_fields = ["hint", "created_at", "last_used_at", "revoked_at"]

    def get_secret(self, token: ApiToken) -> str | None:
        return getattr(token, "secret", None)


class AuditSerializer(serializers.ModelSerializer[AuditEntry]):
    """One entry of the audit log."""

    class Meta:
        model = AuditEntry
        fields = ["id", "at", "email", "acting_for", "reason", "verb", "object_type", "object_id", "object_name",
                  "before", "after"]  # fmt: skip


class MspSerializer(serializers.ModelSerializer[Msp]):
    """An MSP as the operator sees it."""

    owner_email = serializers.EmailField(write_only=True, required=False, allow_blank=True)
    customer_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = Msp
        fields = ["id", "name", "slug", "state", "support_email", "support_phone", "customer_count", "created_at",
                  "owner_email"]  # fmt: skip
        read_only_fields = ["state", "created_at"]
        validators: list[Any] = []


class RegionSerializer(serializers.ModelSerializer[Region]):
    """A region with its networks."""

    class Meta:
        model = Region
        fields = ["id", "name", "slug", "allowed_networks", "denied_networks", "microsoft_names", "microsoft_networks",
                  "config_version", "live_version"]  # fmt: skip
        read_only_fields = ["config_version", "live_version"]


class BaseDomainSerializer(serializers.ModelSerializer[BaseDomain]):
    """A base domain of an MSP in a region."""

    class Meta:
        model = BaseDomain
        fields = ["id", "msp", "region", "fqdn"]
        validators: list[Any] = []


class Base64Field(serializers.CharField):
    """Bytes in Base64."""

    def to_internal_value(self, data: Any) -> Any:
        try:
            return b64decode(super().to_internal_value(data), validate=True)
        except ValueError:
            raise serializers.ValidationError(_("This is not Base64."))


class BrandSerializer(serializers.ModelSerializer[Brand]):
    """A brand; `logo` takes a PNG in Base64 and null takes the logo away. `/brand/logo.png` shows it."""

    logo = Base64Field(write_only=True, required=False, allow_null=True, max_length=4 * (MOST_BYTES // 3 + 1))
    has_logo = serializers.BooleanField(read_only=True)

    class Meta:
        model = Brand
        fields = ["id", "name", "accent", "logo", "has_logo", "support_email", "support_phone", "support_url",
                  "row_version"]  # fmt: skip


class OwnHostSerializer(serializers.ModelSerializer[OwnHost]):
    """A host name of the MSP's own; enter `record_value` as a TXT record at `record_name` to prove that it is yours."""

    customer = serializers.IntegerField(source="tenant_id", required=False, allow_null=True)
    state = serializers.CharField(read_only=True)
    record_name = serializers.CharField(read_only=True)
    record_value = serializers.CharField(read_only=True)

    class Meta:
        model = OwnHost
        fields = ["id", "host", "customer", "state", "record_name", "record_value", "added_at", "checked_at",
                  "verified_at"]  # fmt: skip
        read_only_fields = ["added_at", "checked_at", "verified_at"]
        validators: list[Any] = []


class NamedSerializer(serializers.Serializer[Any]):
    """The customers that got a name."""

    named = serializers.ListField(child=serializers.IntegerField(), read_only=True)


class MeSerializer(serializers.Serializer[Any]):
    """Who calls, where, and what they may do."""

    email = serializers.EmailField()
    name = serializers.CharField()
    place = serializers.ChoiceField(choices=["operator", "msp", "customer"])
    of = serializers.CharField()
    roles = serializers.ListField(child=serializers.CharField())
    capabilities = serializers.ListField(child=serializers.CharField())
    acting_for = serializers.CharField()
