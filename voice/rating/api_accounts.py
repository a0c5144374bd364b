"""Accounts for programs: what is left, what moved them, up to what amount calls go."""

from collections.abc import Callable
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.http import Http404
from django.utils.timezone import now
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from portal.core.api import MspViewSet, TenantViewSet
from portal.core.api_filters import CUSTOMER, one_of, when
from tenants.models import Customer
from voice.rating import limits, selectors_accounts
from voice.rating.accounts import correct_by_hand
from voice.rating.models import Account, Movement
from voice.rating.overview import Overview, stopped, warned

STATE = ["id", "kind", "currency", "balance_micros", "credit_limit_micros", "spend_limit_micros", "own_limit_micros"]
STATES: dict[str, Callable[[], Q]] = {
    "stopped": lambda: Q(tenant__in=Customer.objects.filter(stopped(now()))),
    "warned": lambda: Q(tenant__in=Customer.objects.filter(warned())),
}
MOVED = ["id", "at", "kind", "micros", "currency", "balance_micros", "reference"]


class AccountSerializer(serializers.ModelSerializer[Account]):  # type: ignore[misc]
    """An account under its customer's id; amounts are micros, a limit of null is none, `left` what calls may cost.

    `settled_with_bill` says that the plan asks something else for calls than the prices by which they count here.
    """

    id = serializers.IntegerField(source="tenant_id", read_only=True)
    spent_micros = serializers.SerializerMethodField()
    left = serializers.SerializerMethodField()
    settled_with_bill = serializers.SerializerMethodField()
    row_version = serializers.IntegerField(required=False)

    class Meta:
        model = Account
        fields = [*STATE, "spent_micros", "left", "settled_with_bill", "row_version"]
        read_only_fields = [*STATE[:-1]]
        validators: ClassVar[list[Any]] = []

    def get_spent_micros(self, account: Account) -> int:
        """Return what this month's calls cost."""
        return account.standing(now()).spent

    def get_left(self, account: Account) -> int | None:
        """Return what is left for calls by the narrowest limit."""
        return account.standing(now()).left

    def get_settled_with_bill(self, account: Account) -> bool:
        """Return whether the bill will ask something else for calls than they take here."""
        if "settled" not in self.context:
            # One question for all rows of an answer.
            rows = self.parent.instance if self.parent is not None else [account]
            self.context["settled"] = selectors_accounts.settled_with_bill(rows)
        return account.pk in self.context["settled"]


class MspAccountSerializer(AccountSerializer):
    """An account with what its MSP is warned of; `longest_call` is in seconds, null where no deck says prices."""

    warn_shares = serializers.ListField(child=serializers.IntegerField(), required=False, allow_null=True)
    is_stopped = serializers.SerializerMethodField()
    trouble = serializers.SerializerMethodField()
    warnings = serializers.SerializerMethodField()
    longest_call = serializers.SerializerMethodField()

    class Meta(AccountSerializer.Meta):
        fields = [
            *STATE, "warn_shares", "warn_below_micros", "spent_micros", "left", "settled_with_bill", "is_stopped",
            "trouble", "warnings", "longest_call", "row_version",
        ]  # fmt: skip
        read_only_fields = ["balance_micros", "own_limit_micros"]

    @property
    def _overview(self) -> Overview:
        # One for all rows of an answer.
        found = self.context.get("overview") or Overview(self.context["request"].msp, now())
        self.context["overview"] = found
        return found

    def get_is_stopped(self, account: Account) -> bool:
        """Return whether calls that cost something are stopped."""
        left = account.standing(now()).left
        return left is not None and left <= 0

    def get_trouble(self, account: Account) -> str:
        """Return why calls or bills do not move the account: currencies without a rate."""
        if "troubles" not in self.context:
            # One question for all rows of an answer.
            rows = self.parent.instance if self.parent is not None else [account]
            self.context["troubles"] = selectors_accounts.troubles(rows)
        return str(self.context["troubles"].get(account.pk, ""))

    def get_warnings(self, account: Account) -> list[str]:
        """Return the marks that it stands beyond, in words."""
        return self._overview.warnings(account)

    def get_longest_call(self, account: Account) -> int | None:
        """Return how long the next call to the dearest destination may last."""
        return self._overview.longest(account.tenant)


class MovementSerializer(serializers.ModelSerializer[Movement]):  # type: ignore[misc]
    class Meta:
        model = Movement
        fields = MOVED


class MspMovementSerializer(MovementSerializer):
    customer = serializers.IntegerField(source="tenant_id")

    class Meta:
        model = Movement
        fields = [*MOVED, "customer"]


class NewMovementSerializer(serializers.Serializer[Any]):  # type: ignore[misc]
    """A correction; money that came in is recorded under payments, a top-up with `for_calls`."""

    kind = serializers.ChoiceField(choices=Movement.Kind.choices, default=Movement.Kind.CORRECTION)
    micros = serializers.IntegerField()
    reference = serializers.CharField(max_length=120)

    def validate_kind(self, kind: str) -> str:
        """Return the kind where people book it here; everything else follows from an event."""
        if kind != Movement.Kind.CORRECTION:
            raise serializers.ValidationError(
                "By hand: correction. Money that came in is recorded under payments, a top-up with for_calls."
            )
        return kind


class MspAccountViewSet(MspViewSet):
    """Accounts of the MSP's customers, each under its customer's id; one that has not moved yet can be read and set.

    `kind`, and `state=stopped` or `state=warned`, narrow them.
    """

    queryset = Account.objects.none()
    serializer_class: type[serializers.BaseSerializer[Any]] = MspAccountSerializer
    capability = "bills"
    http_method_names = ("get", "post", "patch", "head", "options")
    save = staticmethod(limits.save_terms)
    filters = {"kind": one_of("kind", Account.Kind), "state": when(STATES)}

    def get_queryset(self) -> QuerySet[Account]:
        return Account.objects.filter(msp=self.request.msp).select_related("tenant")

    def get_object(self) -> Account:
        customer = Customer.objects.filter(pk=self.kwargs["pk"], msp=self.request.msp).first()
        if customer is None:
            raise Http404
        return limits.account_of(customer)

    @extend_schema(exclude=True)
    def create(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Refuse: each customer has one account."""
        return self.http_method_not_allowed(request, *args, **kwargs)

    @extend_schema(request=NewMovementSerializer, responses=MovementSerializer)
    @action(detail=True, methods=["post"])  # type: ignore[untyped-decorator]
    def move(self, request: Request, pk: str | None = None) -> Response:
        """Book a correction by hand, once for each reference."""
        given = NewMovementSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        account, told = self.get_object(), given.validated_data
        moved = correct_by_hand(
            account.pk, told["micros"], account.currency, reference=told["reference"], by=self.actor
        )
        return Response(MovementSerializer(moved).data, 201)


class MspMovementViewSet(MspViewSet):
    """What moved accounts besides calls, newest first; `customer` narrows it."""

    queryset = Movement.objects.none()
    serializer_class = MspMovementSerializer
    capability = "bills"
    ordering = ("-pk",)
    filters = CUSTOMER

    def get_queryset(self) -> QuerySet[Movement]:
        return Movement.objects.filter(msp=self.request.msp)


class AccountViewSet(TenantViewSet):
    """The customer's account: what is left, what this month's calls cost, and its limits."""

    queryset = Account.objects.none()
    serializer_class = AccountSerializer
    capability = "bills"
    capabilities: ClassVar[dict[str, str]] = {"partial_update": "limits.change"}
    http_method_names = ("get", "patch", "head", "options")
    save = staticmethod(limits.save_own_limit)

    def get_queryset(self) -> QuerySet[Account]:
        return Account.objects.filter(pk=self.request.tenant.pk)

    def get_object(self) -> Account:
        if self.kwargs["pk"] != str(self.request.tenant.pk):
            raise Http404
        return limits.account_of(self.request.tenant)


class MovementViewSet(TenantViewSet):
    """What moved the account besides calls, newest first."""

    queryset = Movement.objects.none()
    serializer_class = MovementSerializer
    capability = "bills"
    ordering = ("-pk",)

    def get_queryset(self) -> QuerySet[Movement]:
        return Movement.objects.filter(tenant=self.request.tenant)


msp_routes = [
    ("accounts", MspAccountViewSet, "account"),
    ("account-movements", MspMovementViewSet, "account-movement"),
]
routes = [
    ("accounts", AccountViewSet, "account"),
    ("account-movements", MovementViewSet, "account-movement"),
]
