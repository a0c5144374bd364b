"""What a page of margins looks at: one month in one currency, with the stored rates that lead there."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from django.db.models import BigIntegerField, Case, DecimalField, F, Q, Sum, Value, When
from django.db.models.expressions import Combinable
from django.db.models.functions import Cast, Coalesce, Round
from django.utils.formats import date_format
from django.utils.timezone import now

from tenants.models import Msp
from voice.currencies.conversion import NoRate
from voice.currencies.selectors import rate_on
from voice.margin.models import CarrierInvoice, ExpectedMonth
from voice.rating.models import MarginGrain, MarginSum
from voice.rating.money import MICROS
from voice.receivables.models import BilledMonth, Invoice
from voice.receivables.selectors import usual_currency

EXACT = DecimalField(max_digits=40, decimal_places=18)
MOST_CURRENCIES = 20


@dataclass(frozen=True)
class Lens:
    """A month of an MSP (UTC) in one currency; `missing` are currencies that no stored rate leads from."""

    msp: Msp
    month: date
    currency: str
    factors: dict[str, Decimal] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    told: tuple[str, ...] = ()
    # So many days of the month have begun, of so many: all of one that is over.
    begun: int = 1
    days: int = 1

    @property
    def first(self) -> datetime:
        return datetime(self.month.year, self.month.month, 1, tzinfo=UTC)

    @property
    def key(self) -> str:
        return f"{self.month:%Y-%m}"

    @property
    def words(self) -> str:
        return date_format(self.month, "F Y")

    def total(self, name: str, currency: str = "currency") -> Combinable:
        """Return the sum of a column of micros in the lens's currency, as whole micros; what has no rate is left out.

        `currency` is the path to the currency of a row.
        """
        if set(self.factors.values()) <= {Decimal(1)}:
            found: Combinable = Sum(name, filter=Q(**{currency: self.currency}))
        else:
            cases = [
                When(**{currency: source}, then=Cast(F(name), EXACT) * Value(factor, EXACT))
                for source, factor in self.factors.items()
            ]
            found = Round(Sum(Case(*cases, default=Value(0), output_field=EXACT)))
        return Cast(Coalesce(found, Value(0), output_field=EXACT), BigIntegerField())


def currencies(msp: Msp, month: date) -> list[str]:
    """Return the currencies of a month: of its calls, the one that earned most first, then of what is beside them.

    Fees may be billed, expected or disputed in a currency in which nobody called.
    """
    of_calls, ends = _of_calls(msp, month), next_month(month)
    issued = Invoice.objects.issued().filter(msp=msp, begins__gte=month, begins__lt=ends)
    noted = BilledMonth.objects.filter(msp=msp).filter(Q(month=month) | Q(billed_in=month))
    expected = ExpectedMonth.objects.filter(msp=msp, month=month)
    disputed = CarrierInvoice.objects.filter(
        msp=msp, state=CarrierInvoice.State.DISPUTED, begins__gte=month, begins__lt=ends
    )
    beside: set[str] = set()
    for rows in (issued, noted, expected, disputed):
        beside.update(rows.order_by().values_list("currency", flat=True).distinct())
    return [*of_calls, *sorted(beside - {"", *of_calls})][:MOST_CURRENCIES]


def _of_calls(msp: Msp, month: date) -> list[str]:
    first = datetime(month.year, month.month, 1, tzinfo=UTC)
    rows = MarginSum.objects.filter(msp=msp, grain=MarginGrain.MONTH, at=first).exclude(currency="")
    found = rows.values("currency").annotate(all=Sum("earned"), bought=Sum("cost")).order_by("-all", "-bought")
    return list(found.values_list("currency", flat=True)[:MOST_CURRENCIES])


def _before(msp: Msp, month: date) -> str:
    """Return the currency of the last month before this one that had calls, or that of most bills."""
    first = datetime(month.year, month.month, 1, tzinfo=UTC)
    sums = MarginSum.objects.filter(msp=msp, grain=MarginGrain.MONTH, at__lt=first).exclude(currency="")
    found = sums.values_list("at", "currency").annotate(all=Sum("earned")).order_by("-at", "-all").first()
    return found[1] if found else usual_currency(msp)


def lens_of(msp: Msp, month: date, currency: str = "", *, today: date | None = None) -> Lens:
    """Return a lens on a month in this currency, or in the one that earned most; in the context of the MSP.

    A month without calls is looked at in the currency of the calls before it.

    Rates are those of the month's last day, or of today while it runs.
    """
    found = currencies(msp, month)
    target = currency if currency in found else next(iter(_of_calls(msp, month)), currency or _before(msp, month))
    last, today = next_month(month) - timedelta(days=1), today or now().astimezone(UTC).date()
    day = min(last, today)
    begun = max(0, min((today - month).days + 1, last.day))
    factors, told, missing = {target: Decimal(1)}, [], []
    for source in sorted(found):
        if source == target:
            continue
        try:
            way = rate_on(source, target, day)
        except NoRate:
            missing.append(source)
        else:
            exact = way.exact(MICROS)
            factors[source] = Decimal(exact.numerator) / Decimal(exact.denominator) / MICROS
            told.append(str(way))
    return Lens(msp, month, target, factors, tuple(missing), tuple(told), begun, last.day)


def next_month(month: date) -> date:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def previous_month(month: date) -> date:
    return month.replace(year=month.year - (month.month == 1), month=(month.month - 2) % 12 + 1)
