"""The demo's exchange rates: six weeks of working days, moved a little each day; figures to look at."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from portal.core.audit import Actor
from voice.currencies import services
from voice.currencies.models import ExchangeRate

BY = Actor.system("demo")
DAYS, FRIDAY = 45, 4
# Near what they were in the autumn of 2026, in hundred-thousandths.
NEAR = {
    "USD": 116_000, "GBP": 87_500, "CHF": 93_200, "PLN": 424_000, "SEK": 1_095_000, "NOK": 1_172_000,
    "JPY": 17_810_000,
}  # fmt: skip


def seed(cast: Any) -> None:
    """Import a file of the last weeks for each MSP, once."""
    content = _file()
    for msp in cast.msps:
        with cast.as_msp(msp):
            if not ExchangeRate.objects.exists():
                services.import_file(msp, content, by=BY)


def _file() -> bytes:
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in range(DAYS, 0, -1)]
    rates, cubes = dict(NEAR), []
    for day in days:
        if day.weekday() > FRIDAY:
            continue
        # Up or down by 0.4 % at most, the same for everybody who starts the demo on one day.
        moves = (day.toordinal() * 7919 * place % 81 - 40 for place in range(1, len(NEAR) + 1))
        rates = {quote: rate + rate * move // 10_000 for (quote, rate), move in zip(rates.items(), moves, strict=True)}
        inner = "".join(f'<Cube currency="{quote}" rate="{rate / 100_000:.4f}"/>' for quote, rate in rates.items())
        cubes.append(f'<Cube time="{day}">{inner}</Cube>')
    return f"<Envelope><Cube>{''.join(cubes)}</Cube></Envelope>".encode()
