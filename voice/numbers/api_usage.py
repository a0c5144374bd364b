"""What each number did in a day, and who had it then, for programs."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from portal.core.api import TenantViewSet
from portal.core.api_filters import Filter, between, found, one_of
from voice.calls import selectors
from voice.calls.masking import hidden_in
from voice.calls.models import NumberDay, NumberDayQuerySet
from voice.calls.models.cdr import Direction
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


def _of_number(days: NumberDayQuerySet, text: str) -> NumberDayQuerySet:
    meant = selectors.find_number_days(days, text)
    return days.none() if meant is None else meant


def _sees_people(view: Any) -> bool:
    return bool(view.request._request.can("numbers.view"))


class _Person(Filter):
    def narrow(self, rows: Any, text: str, view: Any) -> NumberDayQuerySet:
        return days_of_person(rows, self.value(text)) if _sees_people(view) else rows.none()


class NumberDayViewSet(TenantViewSet):
    """What each number did, day by day, newest first; `from`, `to`, `direction`, `number` and `person` narrow it."""

    queryset = NumberDay.objects.none()
    serializer_class = NumberDaySerializer
    capability = "calls"
    ordering = ("-at", "pk")
    filters = {
        **between("at"),
        "direction": one_of("direction", Direction),
        "number": found(_of_number, "A number however it is written, or its last digits."),
        "person": _Person("", "Who had the number on the day; nobody is found who may not be seen."),
    }

    def get_queryset(self) -> QuerySet[NumberDay]:
        return selectors.number_days_of(self.request.tenant, hidden_in(self.request)).order_by(*self.ordering)

    def paginate_queryset(self, queryset: QuerySet[NumberDay]) -> list[Any] | None:
        return self._named(super().paginate_queryset(queryset) or [])

    def get_object(self) -> NumberDay:
        return self._named([super().get_object()])[0]

    def _named(self, days: list[Any]) -> list[Any]:
        name_holders(days)
        for each in days if not _sees_people(self) else ():
            each.holders = []
        if self.request._request.can(MONEY):
            price(days)
        else:
            for each in days:
                each.charges = {}
        return days
