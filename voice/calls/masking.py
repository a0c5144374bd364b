"""Hiding the last digits of telephone numbers from who need not know them, on pages as in exports, API and sockets.

Rows are masked as they are read, so that whatever shows them shows no more.
"""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any, Self, TypeVar, cast

from django.db.models import Case, F, Model, Q, QuerySet, TextField, When
from django.db.models.functions import Left, Length
from django.db.models.query import ModelIterable
from django.http import HttpRequest

from portal.ui.values import CUT
from tenants.models import Customer, Msp
from tenants.permissions import FULL_NUMBERS, FULL_NUMBERS_UNLESS_HIDDEN

NUMBERS = ("caller", "caller_sent", "called", "called_sent", "number")
# Text of other people's making that may repeat a number.
TEXTS = ("call_id", "reason", "user_agent")
HIDDEN_DIGITS, STARS = len(CUT), CUT
# Emergency and service numbers are nobody's.
SHORTEST = 7
# Why a call was refused, where only its MSP may know that it costs more than it brings; and what others read instead.
BELOW_COST, NOT_OFFERED = "below_cost", "not_offered"
M = TypeVar("M", bound=Model)
# The customers whose numbers are cut short, by id; None stands for all.
Hidden = frozenset[int] | None
NOBODY: frozenset[int] = frozenset()


class Sight(StrEnum):
    """How much of a number somebody sees, by role."""

    FULL = "full"
    UNLESS_HIDDEN = "unless_hidden"
    SHORT = "short"


def sight_of(roles: Iterable[str]) -> Sight:
    """Return how much of a number these roles let somebody see; MSP staff who act as a customer see the least."""
    held = frozenset(roles)
    if held & FULL_NUMBERS:
        return Sight.FULL
    return Sight.UNLESS_HIDDEN if held & FULL_NUMBERS_UNLESS_HIDDEN else Sight.SHORT


def hidden_from(sight: Sight, tenant: Customer | None, msp: Msp | None) -> Hidden:
    """Return whose numbers are cut short for somebody who looks at a customer, or at all customers of an MSP."""
    if sight == Sight.SHORT:
        return None
    if sight == Sight.FULL:
        return NOBODY
    if tenant is not None:
        return None if tenant.hide_numbers else NOBODY
    return frozenset(Customer.objects.filter(msp=msp, hide_numbers=True).values_list("pk", flat=True))


def hidden_in(request: HttpRequest) -> Hidden:
    """Return whose numbers are cut short for the reader of a page, the caller of the API or who asked for a job."""
    sight = Sight(request.sight) if hasattr(request, "sight") else sight_of(request.roles)  # type: ignore[attr-defined]
    return hidden_from(sight, request.tenant, request.msp)  # type: ignore[attr-defined]


def is_hidden(tenant: int, hidden: Hidden) -> bool:
    """Tell whether a customer's numbers are cut short."""
    return hidden is None or tenant in hidden


def masked(number: str) -> str:
    """Return a number without its last three digits; short numbers, such as 112, stay."""
    return number if len(number.lstrip("+")) < SHORTEST else number[:-HIDDEN_DIGITS] + STARS


def hide(call: Any) -> None:
    """Cut the numbers of a call that was read short, wherever it repeats them."""
    said = call.__dict__
    numbers = {str(said[name]) for name in NUMBERS if said.get(name)}
    for name in NUMBERS:
        if said.get(name):
            said[name] = masked(said[name])
    for name in TEXTS:
        if said.get(name):
            said[name] = without(said[name], numbers)
    if said.get("attempts"):
        said["attempts"] = [{**each, "reason": without(each.get("reason") or "", numbers)} for each in said["attempts"]]


def without(text: str, numbers: Iterable[str]) -> str:
    """Return a text with the last digits of these numbers cut short wherever they stand in it."""
    for number in numbers:
        # However it was written, national or with 00: its end is the same.
        end = number[-SHORTEST:]
        if len(number.lstrip("+")) >= SHORTEST and end in text:
            text = text.replace(end, end[:-HIDDEN_DIGITS] + STARS)
    return text


class _Masking(ModelIterable[Any]):
    def __iter__(self) -> Iterator[Any]:
        rows = cast(NumbersQuerySet[Any], self.queryset)  # only NumbersQuerySet iterates so
        for call in super().__iter__():
            if is_hidden(call.tenant_id, rows.hidden):
                hide(call)
            if rows.costs_hidden and call.__dict__.get("limit") == BELOW_COST:
                call.limit = NOT_OFFERED
            yield call


class NumbersQuerySet(QuerySet[M]):
    """Rows with telephone numbers: cut short as they are read, once `shown_to` has said from whom."""

    hidden: Hidden = NOBODY
    costs_hidden = False

    def without_costs(self) -> Self:
        """Return the rows as a customer sees them, who never learns what its MSP's trunks cost."""
        rows = self._chain()  # type: ignore[attr-defined]
        rows.costs_hidden, rows._iterable_class = True, _Masking
        return rows  # type: ignore[no-any-return]

    def shown_to(self, hidden: Hidden) -> Self:
        """Return the rows as somebody sees them from whom these customers' numbers are hidden."""
        rows = self._chain()  # type: ignore[attr-defined]
        rows.hidden = hidden
        if hidden != NOBODY:
            rows._iterable_class = _Masking
        return rows  # type: ignore[no-any-return]

    def visible(self, name: str) -> F | Case:
        """Return what of a number the reader may see, for a search to look at nothing else."""
        if self.hidden == NOBODY:
            return F(name)
        short = Q(**{f"{name}__regex": rf"^\+?.{{0,{SHORTEST - 1}}}$"})
        whole = short if self.hidden is None else short | ~Q(tenant_id__in=self.hidden)
        return Case(
            When(whole, then=F(name)), default=Left(name, Length(name) - HIDDEN_DIGITS), output_field=TextField()
        )

    def _clone(self) -> Self:
        rows = super()._clone()  # type: ignore[misc]
        rows.hidden, rows.costs_hidden = self.hidden, self.costs_hidden
        return rows  # type: ignore[no-any-return]

    def _values(self, *fields: Any, **expressions: Any) -> Any:
        # Values come past the rows; who needs numbers that way asks for them before `shown_to`.
        if self.hidden != NOBODY and (not fields or {*NUMBERS, *TEXTS, "attempts"} & {str(field) for field in fields}):
            raise TypeError("The numbers of these rows are read by row.")
        if self.costs_hidden and (not fields or "limit" in fields):
            raise TypeError("Why these calls were refused is read by row.")
        return super()._values(*fields, **expressions)  # type: ignore[misc]
