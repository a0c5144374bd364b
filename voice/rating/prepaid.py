"""How long a call may last on what is left of a balance.

Pure: docs/pricing.md §11 has the rule and its examples.
"""

from voice.rating.bands import ORDINARY
from voice.rating.decks import Rate


def longest_call(rate: Rate, balance: int, open_calls: int) -> int | None:
    """Return the most seconds that a call's share of a balance (micros) pays for; None for no limit.

    The dearest band counts, and rounding is down: to a whole step of the increment, 0 where not even the minimum is
    paid for. `open_calls` includes the call itself; raises ValueError below 1.
    """
    if open_calls < 1:
        raise ValueError("A balance is shared by one call at least.")
    share = balance // open_calls
    prices = [rate.price_in(ORDINARY), *rate.bands]
    per_minute, fee = max(price.per_minute for price in prices), max(price.fee for price in prices)
    if per_minute == fee == rate.minimum_charge == 0:
        return None
    if rate.maximum_charge is not None and rate.maximum_charge <= share:
        return None
    if share < max(fee, rate.minimum_charge):
        return 0
    if per_minute == 0:
        return None
    seconds = (share - fee) * 60 // per_minute
    if seconds < rate.minimum:
        return 0
    return rate.minimum + (seconds - rate.minimum) // rate.increment * rate.increment
