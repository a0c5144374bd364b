"""Card payments for programs. Amounts are whole millionths of the currency."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet, TenantViewSet
from voice.payments.models import CardAccount, CardAttempt, CardMethod
from voice.payments.services import accounts, cards
from voice.receivables.models import LegalEntity


class CardPaymentSerializer(serializers.ModelSerializer[CardAttempt]):
    """A payment by card, or the try of one; `url` is where the payer goes on, said once.

    `at_bank` says that a bank takes some working days for it.
    """

    customer = serializers.IntegerField(source="tenant_id", read_only=True)
    payment = serializers.IntegerField(source="payment_id", read_only=True, allow_null=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = CardAttempt
        fields = [
            "id", "key", "customer", "kind", "state", "at_bank", "currency", "amount", "refunded", "card", "words",
            "payment", "created_at", "url",
        ]  # fmt: skip
        read_only_fields = fields

    def get_url(self, row: CardAttempt) -> str:
        """Return the page of the gateway where somebody just began to pay."""
        return str(getattr(row, "url", ""))


class RefundSerializer(serializers.Serializer[Any]):
    """How much goes back."""

    amount = serializers.IntegerField(min_value=1)


class CardPaymentViewSet(MspViewSet):
    """Card payments of the MSP's customers."""

    queryset = CardAttempt.objects.none()
    serializer_class = CardPaymentSerializer
    capability = "payments"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)

    def get_queryset(self) -> QuerySet[CardAttempt]:
        return CardAttempt.objects.filter(msp=self.request.msp).order_by("-pk")  # type: ignore[misc]

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refuse: it is the customer who pays."""
        return self.http_method_not_allowed(request)

    @extend_schema(request=RefundSerializer)
    @action(detail=True, methods=["post"])
    def refund(self, request: Request, pk: str | None = None) -> Response:
        """Send so much back: `{"amount": 5000000}`."""
        given = RefundSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        done = cards.refund(self.get_object(), given.validated_data["amount"], by=self.actor)
        return Response(CardPaymentSerializer(done).data)


class CardAccountSerializer(serializers.ModelSerializer[CardAccount]):
    """Where a company takes cards; the keys are written and never read."""

    entity = serializers.PrimaryKeyRelatedField(queryset=LegalEntity.objects.all())
    api_key = serializers.CharField(write_only=True, required=False, allow_blank=True)
    webhook_secret = serializers.CharField(write_only=True, required=False, allow_blank=True)
    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = CardAccount
        fields = ["id", "entity", "kind", "api_key", "webhook_secret", "is_on", "collects", "row_version"]
        validators: list[Any] = []


class CardAccountViewSet(MspViewSet):
    """Where the MSP's companies take cards."""

    queryset = CardAccount.objects.none()
    serializer_class = CardAccountSerializer
    capability = "payments"
    save = staticmethod(accounts.save_account)

    def get_queryset(self) -> QuerySet[CardAccount]:
        return CardAccount.objects.filter(msp=self.request.msp).select_related("entity").order_by("pk")  # type: ignore[misc]

    def write(self, serializer: Any, instance: CardAccount | None) -> CardAccount:
        data = dict(serializer.validated_data)
        keys = {name: data.pop(name, "") for name in ("api_key", "webhook_secret")}
        row = instance or CardAccount(msp=self.request.msp)  # type: ignore[misc]
        for name, value in data.items():
            setattr(row, name, value)
        return accounts.save_account(row, by=self.actor, **keys)

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="renew-hook")
    def renew_hook(self, request: Request, pk: str | None = None) -> Response:
        """Give the webhook another address; the old one leads nowhere from now on."""
        return Response(CardAccountSerializer(accounts.renew_hook(self.get_object(), by=self.actor)).data)


class StartSerializer(serializers.Serializer[Any]):
    """What is paid: these bills, or everything that is open; with a saved card, or at the checkout.

    Everything is what is open with the company that bills now, in its currency; `entity` and `currency` name others.
    """

    bills = serializers.ListField(child=serializers.IntegerField(), required=False, allow_empty=False)
    entity = serializers.IntegerField(required=False)
    currency = serializers.CharField(required=False)
    card = serializers.IntegerField(required=False)
    save_card = serializers.BooleanField(required=False, default=False)


class OwnCardPaymentViewSet(TenantViewSet):
    """The customer's card payments. POST begins one: `{"bills": [7]}`."""

    queryset = CardAttempt.objects.none()
    serializer_class = CardPaymentSerializer
    capability = "payments"
    http_method_names = ["get", "post", "head", "options"]
    ordering = ("-pk",)

    def get_queryset(self) -> QuerySet[CardAttempt]:
        return CardAttempt.objects.filter(tenant=self.request.tenant).order_by("-pk")  # type: ignore[misc]

    @extend_schema(request=StartSerializer, responses={201: CardPaymentSerializer})
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Begin to pay; without a saved card the answer says where the payer goes on."""
        given = StartSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        data = given.validated_data
        attempt = cards.pay(
            request.tenant, invoices=data.get("bills"), where=(data.get("entity"), data.get("currency", "")),  # type: ignore[attr-defined]
            method=data.get("card"), saves=data["save_card"], by=self.actor,
        )  # fmt: skip
        return Response(CardPaymentSerializer(attempt).data, 201)

    @extend_schema(request=RefundSerializer, responses={201: CardPaymentSerializer})
    @action(detail=False, methods=["post"], url_path="top-up")
    def top_up(self, request: Request) -> Response:
        """Begin to pay ahead: `{"amount": 50000000}`."""
        given = RefundSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        attempt = cards.top_up(request.tenant, given.validated_data["amount"], by=self.actor)  # type: ignore[attr-defined]
        return Response(CardPaymentSerializer(attempt).data, 201)


class SavedCardSerializer(serializers.ModelSerializer[CardMethod]):
    """A card that the gateway keeps."""

    class Meta:
        model = CardMethod
        fields = ["id", "brand", "last4", "month", "year", "is_default", "created_at"]
        read_only_fields = fields


class SavedCardViewSet(TenantViewSet):
    """The customer's saved cards."""

    queryset = CardMethod.objects.none()
    serializer_class = SavedCardSerializer
    capability = "payments"
    http_method_names = ["get", "post", "delete", "head", "options"]

    def get_queryset(self) -> QuerySet[CardMethod]:
        return CardMethod.objects.filter(tenant=self.request.tenant).order_by("pk")  # type: ignore[misc]

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refuse: a card is saved while something is paid with it."""
        return self.http_method_not_allowed(request)

    def perform_destroy(self, instance: Any) -> None:
        cards.forget(self.request.tenant, instance.pk, by=self.actor)  # type: ignore[misc]

    @extend_schema(request=None)
    @action(detail=True, methods=["post"], url_path="make-default")
    def make_default(self, request: Request, pk: str | None = None) -> Response:
        """Let this card be charged when a bill is due."""
        cards.choose_default(request.tenant, self.get_object().pk, by=self.actor)  # type: ignore[attr-defined]
        return Response(SavedCardSerializer(self.get_object()).data)


msp_routes = [
    ("card-payments", CardPaymentViewSet, "card-payment"),
    ("card-accounts", CardAccountViewSet, "card-account"),
]
routes = [
    ("card-payments", OwnCardPaymentViewSet, "card-payment"),
    ("saved-cards", SavedCardViewSet, "saved-card"),
]
