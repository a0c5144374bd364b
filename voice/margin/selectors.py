"""Reads of margins, all from sums that are written as calls come in; in the context of the MSP."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

from django.db.models import (
    BigIntegerField,
    Case,
    Exists,
    ExpressionWrapper,
    F,
    IntegerField,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, NullIf

from tenants.models import Customer, Msp
from voice.calls.models.cdr import Direction
from voice.carriers.models import Trunk
from voice.margin.lens import Lens, next_month
from voice.margin.models import CarrierInvoice, ExpectedMonth, Target
from voice.rating.models import MarginGrain, MarginSum
from voice.receivables.models import BilledMonth, Invoice, InvoiceLine
from voice.receivables.selectors import disputes

# Lines that bill calls, or what they came to when they were priced again; what a credit note takes back counts apart.
OF_CALLS = Q(invoice__kind=Invoice.Kind.INVOICE) & (Q(kind=InvoiceLine.Kind.USAGE) | Q(group__startswith="again "))
COUNTS = ("calls", "seconds", "unpriced", "uncosted")


@dataclass(frozen=True)
class Result:
    """What a month came to, in micros of one currency; `earned` is what its calls earned.

    `expected` is what contracts ask for the days so far and no invoice has yet, less what plans take off the charges;
    `to_come` is the same of the days to come.
    """

    calls: int = 0
    earned: int = 0
    fees: int = 0
    cost: int = 0
    unbilled: int = 0
    unpriced: int = 0
    uncosted: int = 0
    expected: int = 0
    to_come: int = 0

    @property
    def revenue(self) -> int:
        return self.earned + self.fees + self.expected

    @property
    def margin(self) -> int:
        return self.revenue - self.cost

    @property
    def per_mille(self) -> int | None:
        """Return the margin in thousandths of the revenue."""
        return self.margin * 1000 // self.revenue if self.revenue > 0 else None

    def __add__(self, other: "Result") -> "Result":
        return Result(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(Result)))


@dataclass(frozen=True)
class OfCustomer:
    """What one customer's month came to; `elsewhere` says that a part is in a currency that no rate leads from."""

    pk: int
    result: Result
    wanted: int | None
    elsewhere: bool

    @property
    def short(self) -> int:
        """Return the money that lacks to what is wanted, or to nothing where nothing is."""
        return self.result.revenue * (self.wanted or 0) // 1000 - self.result.margin


@dataclass(frozen=True)
class Day:
    """What the calls of one day (UTC) came to."""

    day: date
    earned: int
    cost: int

    @property
    def margin(self) -> int:
        return self.earned - self.cost


def target_of(msp: Msp, customer: Customer | None = None) -> int | None:
    """Return the margin that is wanted of a customer, or of all that have no target of their own."""
    rows = Target.objects.filter(msp=msp).filter(Q(tenant=None) | Q(tenant=customer))
    found = rows.order_by(F("tenant").asc(nulls_last=True)).values_list("per_mille", flat=True).first()
    return None if found is None else int(found)


def own_target(msp: Msp, customer: Customer | None) -> int | None:
    """Return the target that was set for this customer itself, or for all."""
    return Target.objects.filter(msp=msp, tenant=customer).values_list("per_mille", flat=True).first()


def by_customer(lens: Lens) -> list[OfCustomer]:
    """Return what the month of each customer came to; one line of sums for each is all that is read."""
    sums = MarginSum.objects.filter(msp=lens.msp, grain=MarginGrain.MONTH, at=lens.first).values("tenant")
    counted = sums.annotate(
        **{f"{name}_sum": Cast(Sum(name), BigIntegerField()) for name in COUNTS},
        sold=lens.total("earned"),
        bought=lens.total("cost"),
        away=_elsewhere(lens),
    )
    billed = _lines(lens).values("tenant").annotate(
        fees=lens.total("signed", "invoice__currency"),
        charged=lens.total("for_calls", "invoice__currency"),
    )  # fmt: skip
    noted = _billed_months(lens).values("tenant").annotate(taken=lens.total("of_month"), carried=lens.total("moved"))
    asked = _expected(lens).values("tenant").annotate(so_far=lens.total("by_now"), rest=lens.total("later"))
    invoices: dict[int, Any] = {row["tenant"]: row for row in billed}
    expected: dict[int, Any] = {row["tenant"]: row for row in asked}
    months: dict[int, Any] = {row["tenant"]: row for row in noted}
    calls: dict[int, Any] = {row["tenant"]: row for row in counted}
    targets: dict[int | None, int] = dict(Target.objects.filter(msp=lens.msp).values_list("tenant", "per_mille"))
    beside = _beside(lens)
    found = []
    for pk in sorted(invoices.keys() | calls.keys() | months.keys() | expected.keys()):
        made, paid, month = calls.get(pk), invoices.get(pk), months.get(pk)
        unbilled = (made["sold"] if made else 0) - (month["taken"] if month else 0)
        # What an invoice bills for calls takes the place of their charges: included minutes earn their fee.
        billed_for_calls = (paid["charged"] if paid else 0) + (month["carried"] if month else 0)
        result = Result(
            made["calls_sum"] if made else 0, billed_for_calls + unbilled,
            paid["fees"] if paid else 0, made["bought"] if made else 0, unbilled,
            made["unpriced_sum"] if made else 0, made["uncosted_sum"] if made else 0,
            expected[pk]["so_far"] if pk in expected else 0, expected[pk]["rest"] if pk in expected else 0,
        )  # fmt: skip
        found.append(
            OfCustomer(pk, result, targets.get(pk, targets.get(None)), bool(made and made["away"]) or pk in beside)
        )
    return found


def result(customers: Iterable[OfCustomer]) -> Result:
    """Return what all of them came to."""
    return sum((each.result for each in customers), Result())


def below_target(customers: Iterable[OfCustomer]) -> list[OfCustomer]:
    """Return the customers that earn less than is wanted of them, those first that lack most money."""
    lacking = [each for each in customers if each.short > 0 and not each.elsewhere]
    return sorted(lacking, key=lambda each: (-each.short, each.pk))


def days(lens: Lens, begins: date, ends: date) -> list[Day]:
    """Return what the calls of each day from `begins` up to `ends` came to; days without a call are not there."""
    rows = MarginSum.objects.filter(
        msp=lens.msp, grain=MarginGrain.DAY, at__gte=_midnight(begins), at__lt=_midnight(ends)
    )
    found = rows.values("at").annotate(sold=lens.total("earned"), bought=lens.total("cost")).order_by("at")
    return [Day(row["at"].date(), int(row["sold"]), int(row["bought"])) for row in found]


def routes(lens: Lens, by: Sequence[str] = ("destination", "trunk"), customer: Customer | None = None) -> QuerySet[Any]:
    """Return what the month's calls came to by destination and trunk, as mappings; `key` tells one from the other."""
    rows = MarginSum.objects.filter(msp=lens.msp, grain=MarginGrain.ROUTE, at=lens.first)
    if customer is not None:
        rows = rows.filter(tenant=customer)
    found = rows.values("direction", *by).annotate(
        key=Min("id"),
        **{f"{name}_sum": Cast(Sum(name), BigIntegerField()) for name in COUNTS},
        revenue=lens.total("earned"),
        spent=lens.total("cost"),
        elsewhere=_elsewhere(lens),
    )
    return _with_margin(found)


def trunk_names(msp: Msp) -> dict[int, str]:
    """Return the names of the MSP's trunks and of those of its customers, closed ones included."""
    return dict(Trunk.objects.filter(msp=msp).values_list("pk", "name"))


def customers(lens: Lens) -> QuerySet[Any]:
    """Return the MSP's customers with what their month came to and what is missing to their target."""
    sums = MarginSum.objects.filter(tenant=OuterRef("pk"), grain=MarginGrain.MONTH, at=lens.first).order_by()
    lines = _lines(lens).filter(tenant=OuterRef("pk")).order_by()
    months = _billed_months(lens).filter(tenant=OuterRef("pk")).order_by()

    def of(rows: QuerySet[Any], expression: Any) -> Any:
        grouped = rows.values("tenant").annotate(found=expression).values("found")
        return Coalesce(Subquery(grouped, output_field=BigIntegerField()), 0)

    wanted = Target.objects.filter(msp=lens.msp).filter(Q(tenant=OuterRef("pk")) | Q(tenant=None))
    found: QuerySet[Any] = Customer.objects.filter(msp=lens.msp).annotate(
        **{f"{name}_sum": of(sums, Cast(Sum(name), BigIntegerField())) for name in COUNTS},
        charged=of(sums, lens.total("earned")),
        fees=of(lines, lens.total("signed", "invoice__currency")),
        billed=of(lines, lens.total("for_calls", "invoice__currency")),
        taken=of(months, lens.total("of_month")),
        carried=of(months, lens.total("moved")),
        spent=of(sums, lens.total("cost")),
        expected=of(_expected(lens).filter(tenant=OuterRef("pk")).order_by(), lens.total("by_now")),
        disputed=of(_disputes(lens).filter(tenant=OuterRef("pk")).order_by(), lens.total("disputed")),
        elsewhere=_has_elsewhere(lens, sums),
        wanted=Subquery(wanted.order_by(F("tenant").asc(nulls_last=True)).values("per_mille")[:1]),
    )
    found = found.annotate(unbilled=F("charged") - F("taken"))
    found = found.annotate(earned=F("billed") + F("carried") + F("unbilled"))
    found = found.annotate(revenue=F("earned") + F("fees") + F("expected"))
    found = _with_margin(found)
    short = F("revenue") * F("wanted") / Value(1000) - F("margin")
    told: QuerySet[Any] = found.annotate(
        short=Case(
            When(elsewhere=True, then=None),
            default=Coalesce(ExpressionWrapper(short, BigIntegerField()), -F("margin")),
            output_field=BigIntegerField(),
        )
    ).filter(Q(calls_sum__gt=0) | ~Q(revenue=0) | ~Q(spent=0) | Q(elsewhere=True))
    return told


def losing(groups: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the destinations that cost more over a trunk than their calls earned, the dearest loss first."""
    found = [
        row
        for row in groups
        if row["direction"] == Direction.OUT and row["margin"] < 0 < row["revenue"] and not row["elsewhere"]
    ]
    return sorted(found, key=lambda row: int(row["margin"]))


def without_revenue(groups: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what costs and earns nothing by its kind: inside, emergency, incoming, free of charge, not priced yet."""
    found: dict[str, dict[str, Any]] = {}
    for row in groups:
        if row["revenue"] or not row["spent"] or row["elsewhere"]:
            continue
        kind = "aside" if row["unpriced_sum"] else row["direction"]
        told = found.setdefault(kind, {"kind": kind, "calls": 0, "spent": 0})
        told["calls"] += row["calls_sum"]
        told["spent"] += row["spent"]
    return sorted(found.values(), key=lambda each: -each["spent"])


def disputed_by_customers(lens: Lens) -> int:
    """Return what customers do not accept of their bills of the month and wait for an answer about, without tax."""
    return int(_disputes(lens).aggregate(sum=lens.total("disputed"))["sum"])


def disputed_with_carriers(lens: Lens) -> int:
    """Return what carriers ask beyond our costs in invoices of the month that are disputed."""
    rows = CarrierInvoice.objects.filter(
        msp=lens.msp, state=CarrierInvoice.State.DISPUTED, begins__gte=lens.month, begins__lt=next_month(lens.month)
    )
    return int(rows.aggregate(sum=lens.total("difference"))["sum"])


def elsewhere(lens: Lens) -> list[dict[str, Any]]:
    """Return what the month came to in the currencies that no stored rate leads from."""
    found = []
    for currency in lens.missing:
        there = replace(lens, currency=currency, factors={currency: Decimal(1)}, missing=())
        whole = result(by_customer(there))
        if whole.revenue or whole.cost:
            found.append({"currency": currency, "sold": whole.revenue, "bought": whole.cost})
    return found


def _beside(lens: Lens) -> set[int]:
    """Return the customers whose month has bills or expected fees in a currency that no stored rate leads from."""
    if not lens.missing:
        return set()
    billed = _lines(lens).filter(invoice__currency__in=lens.missing).values_list("tenant", flat=True)
    expected = _expected(lens).filter(currency__in=lens.missing).values_list("tenant", flat=True)
    return {*billed.distinct(), *expected.distinct()}


def _has_elsewhere(lens: Lens, sums: QuerySet[MarginSum]) -> Any:
    """Return whether a customer has a part of its month in a currency that no stored rate leads from."""
    if not lens.missing:
        return Value(False)
    counted = sums.filter(currency__in=lens.missing).exclude(earned=0, cost=0)
    billed = _lines(lens).filter(tenant=OuterRef("pk"), invoice__currency__in=lens.missing).order_by()
    expected = _expected(lens).filter(tenant=OuterRef("pk"), currency__in=lens.missing).order_by()
    return Exists(counted) | Exists(billed) | Exists(expected)


def _disputes(lens: Lens) -> QuerySet[Any]:
    return disputes(lens.msp, lens.month, next_month(lens.month))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _with_margin(found: QuerySet[Any]) -> QuerySet[Any]:
    margin = ExpressionWrapper(F("revenue") - F("spent"), BigIntegerField())
    told: QuerySet[Any] = found.annotate(margin=margin).annotate(
        per_mille=Case(
            When(revenue__gt=0, then=F("margin") * Value(1000) / NullIf(F("revenue"), Value(0))),
            default=None,
            output_field=BigIntegerField(),
        )
    )
    return told


def _elsewhere(lens: Lens) -> Any:
    """Return whether a group has sums in a currency that no stored rate leads from."""
    counted = Sum(
        Case(When(Q(currency__in=lens.missing) & ~Q(earned=0, cost=0), then=1), default=0, output_field=IntegerField())
    )
    return counted if lens.missing else Value(0, IntegerField())


def _lines(lens: Lens) -> QuerySet[InvoiceLine]:
    """Return the lines of issued documents whose period begins in the month; `signed` is what they are but for calls.

    What a credit note takes back counts against the month of its invoice, whatever it takes back.
    """
    issued = InvoiceLine.objects.filter(
        msp=lens.msp,
        invoice__state=Invoice.State.ISSUED,
        invoice__begins__gte=lens.month,
        invoice__begins__lt=next_month(lens.month),
    )
    return issued.annotate(
        signed=Case(
            When(invoice__kind=Invoice.Kind.CREDIT_NOTE, then=-F("net")),
            When(OF_CALLS, then=Value(0)),
            default=F("net"),
            output_field=BigIntegerField(),
        ),
        for_calls=Case(
            When(OF_CALLS, then=F("exact")),
            default=Value(0),
            output_field=BigIntegerField(),
        ),
    )


def _billed_months(lens: Lens) -> QuerySet[Any]:
    """Return what issued invoices bill of the month's charges (`of_month`), and what other months' do (`moved`).

    A call that an invoice of a later month bills comes back to the month of its answer, as the invoice charges it.
    """
    rows = BilledMonth.objects.filter(msp=lens.msp).filter(Q(month=lens.month) | Q(billed_in=lens.month))
    net = F("micros") - F("off")
    return rows.annotate(
        of_month=Case(When(month=lens.month, then=F("micros")), default=Value(0), output_field=BigIntegerField()),
        moved=Case(
            When(month=F("billed_in"), then=Value(0)),
            When(month=lens.month, then=net),
            default=-net,
            output_field=BigIntegerField(),
        ),
    )


def expected_at(lens: Lens) -> datetime | None:
    """Return when what is expected of the month was worked out; None where nothing is."""
    found: datetime | None = _expected(lens).aggregate(at=Min("worked_out_at"))["at"]
    return found


def _expected(lens: Lens) -> QuerySet[Any]:
    """Return what is expected of customers that no run has billed, of the days so far (`by_now`) and of the others.

    Fees go by days, and what plans take off the charges goes on as it was so far.
    """
    billed = Invoice.objects.issued().filter(
        tenant=OuterRef("tenant"), source="run", begins__gte=lens.month, begins__lt=next_month(lens.month)
    )
    rows = ExpectedMonth.objects.filter(~Exists(billed), msp=lens.msp, month=lens.month)
    begun, days, rest = Value(lens.begun), Value(lens.days), Value(lens.days - lens.begun)
    by_now = F("fees") * begun / days
    return rows.annotate(
        by_now=ExpressionWrapper(by_now - F("off"), BigIntegerField()),
        later=ExpressionWrapper(F("fees") - by_now - F("off") * rest / Value(max(lens.begun, 1)), BigIntegerField()),
    )
