"""What each number did in a day, and who had it then, for programs."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from portal.core.api import TenantViewSet
from voice.calls import selectors
from voice.calls.masking import hidden_in
from voice.calls.models import NumberDay
from voice.numbers.charges import MONEY, price
from voice.numbers.holders import days_of_person, name_holders


class NumberDaySerializer(serializers.ModelSerializer[NumberDay]):
    """Calls of a number in one day (UTC); `people` had the number on that day, none are told who may not see numbers.

    An empty `number` stands for calls with none of the customer's numbers. `charges` is what the calls cost by the
    price list, millionths by currency; none are told who may not see bills.
    """

    charges = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    people = serializers.ListField(source="holders", child=serializers.CharField(), read_only=True)

    class Meta:
        model = NumberDay
        fields = ["id", "at", "number", "people", "direction", "calls", "answered", "talk_ms", "charges"]


class NumberDayViewSet(TenantViewSet):
    """What each number did, day by day, newest first; `from`, `to`, `direction`, `number` and `person` narrow it."""

    queryset = NumberDay.objects.none()
    serializer_class = NumberDaySerializer
    capability = "calls"
    ordering = ("-at", "pk")

    def get_queryset(self) -> QuerySet[NumberDay]:
        asked = self.request.query_params
        days = selectors.number_days_of(self.request.tenant, hidden_in(self.request))
        for name, lookup in (("from", "at__gte"), ("to", "at__lt")):
            if asked.get(name):
                days = days.filter(**{lookup: serializers.DateTimeField().to_internal_value(asked[name])})
        if asked.get("direction"):
            days = days.filter(direction=asked["direction"][:40])
        if asked.get("number"):
            found = selectors.find_number_days(days, asked["number"][:60])
            days = days.none() if found is None else found
        if asked.get("person"):
            days = days_of_person(days, asked["person"][:200]) if self._sees_people else days.none()
        return days.order_by(*self.ordering)

    def paginate_queryset(self, queryset: QuerySet[NumberDay]) -> list[Any] | None:
        return self._named(super().paginate_queryset(queryset) or [])

    def get_object(self) -> NumberDay:
        return self._named([super().get_object()])[0]

    @property
    def _sees_people(self) -> bool:
        return bool(self.request._request.can("numbers.view"))

    def _named(self, days: list[Any]) -> list[Any]:
        name_holders(days)
        for each in days if not self._sees_people else ():
            each.holders = []
        if self.request._request.can(MONEY):
            price(days)
        else:
            for each in days:
                each.charges = {}
        return days
