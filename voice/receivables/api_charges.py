"""Charges for programs: one of them with its bill, the decision on it and each correction."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from voice.rating.api_charges import ChargeSerializer, ChargeViewSet, MspChargeSerializer, MspChargeViewSet
from voice.rating.models import Charge
from voice.receivables.aftermath import Amounts, Change, History, history_of
from voice.rerating.models import Decision


class AmountSerializer(serializers.Serializer[Any]):
    currency = serializers.CharField()
    micros = serializers.IntegerField()


class CallDecisionSerializer(serializers.ModelSerializer[Decision]):
    class Meta:
        model = Decision
        fields = ["kind", "was", "micros", "currency", "made_at"]


class MspCallDecisionSerializer(CallDecisionSerializer):
    class Meta:
        model = Decision
        fields = [*CallDecisionSerializer.Meta.fields, "id", "made_by", "reason"]


class CorrectionSerializer(serializers.Serializer[Any]):
    """One rating again: what the call came to before and after; `invoice` has the difference, null is the next one."""

    at = serializers.DateTimeField()
    before = AmountSerializer(many=True)
    after = AmountSerializer(many=True)
    destination = serializers.CharField()
    invoice = serializers.IntegerField(allow_null=True)


class MspCorrectionSerializer(CorrectionSerializer):
    proposal = serializers.IntegerField()
    reason = serializers.CharField()


class AftermathSerializer(serializers.Serializer[Any]):
    """What became of a charge after it was posted; `stands` is what the call comes to with all corrections."""

    invoice = serializers.IntegerField(allow_null=True)
    decision = CallDecisionSerializer(allow_null=True)
    corrections = CorrectionSerializer(many=True)
    stands = AmountSerializer(many=True)


class MspAftermathSerializer(AftermathSerializer):
    priced_by = serializers.IntegerField(allow_null=True, help_text="The proposal that set its price.")
    decision = MspCallDecisionSerializer(allow_null=True)
    corrections = MspCorrectionSerializer(many=True)


class WholeChargeSerializer(ChargeSerializer):
    aftermath = serializers.SerializerMethodField()

    class Meta:
        model = Charge
        fields = [*ChargeSerializer.Meta.fields, "aftermath"]

    @extend_schema_field(AftermathSerializer)
    def get_aftermath(self, charge: Charge) -> Any:
        """Return what the customer may know of it."""
        return AftermathSerializer(_facts(history_of(charge, self.context["request"].tenant.msp, is_msp=False))).data


class WholeMspChargeSerializer(MspChargeSerializer):
    aftermath = serializers.SerializerMethodField()

    class Meta:
        model = Charge
        fields = [*MspChargeSerializer.Meta.fields, "aftermath"]

    @extend_schema_field(MspAftermathSerializer)
    def get_aftermath(self, charge: Charge) -> Any:
        """Return all of it but costs, which are told by `costs/`."""
        return MspAftermathSerializer(_facts(history_of(charge, self.context["request"].msp, is_msp=True))).data


class OwnChargeViewSet(ChargeViewSet):
    """What each answered call costs, under the id of its record, newest first; micros are millionths of the currency.

    `from`, `to`, `direction` and `outcome` narrow them. One of them comes with its bill and its corrections.
    """

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return WholeChargeSerializer if self.action == "retrieve" else self.serializer_class


class CustomersChargeViewSet(MspChargeViewSet):
    """What each answered call costs its customer, newest first; `customer`, `from`, `to`, `outcome` narrow them.

    One of them comes with its bill, the decision on it and its corrections.
    """

    def get_serializer_class(self) -> type[serializers.BaseSerializer[Any]]:
        return WholeMspChargeSerializer if self.action == "retrieve" else self.serializer_class


def _facts(history: History) -> dict[str, Any]:
    return {
        "invoice": history.paper.pk if history.paper else None,
        "decision": history.decision,
        "priced_by": history.priced_by.pk if history.priced_by else None,
        "corrections": [_correction(each) for each in history.changes],
        "stands": _amounts(history.stands),
    }


def _correction(change: Change) -> dict[str, Any]:
    return {
        "at": change.at, "before": _amounts(change.before), "after": _amounts(change.after),
        "destination": change.destination, "invoice": change.paper.pk if change.paper else None,
        "proposal": change.proposal, "reason": change.reason,
    }  # fmt: skip


def _amounts(stands: Amounts) -> list[dict[str, Any]]:
    return [{"currency": currency, "micros": micros} for currency, micros in sorted(stands.items())]


routes = [("charges", OwnChargeViewSet, "charge")]
msp_routes = [("charges", CustomersChargeViewSet, "charge")]
