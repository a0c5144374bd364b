"""When something that did not get through is tried again; pure."""

from datetime import datetime, timedelta

# About three days in all, as the Standard Webhooks advise: soon at first, patient later.
PAUSES = (
    timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30),
    timedelta(hours=2), timedelta(hours=6), timedelta(hours=12), timedelta(hours=24), timedelta(hours=24),
)  # fmt: skip
LONGEST_WISH = timedelta(hours=1)


def next_attempt(attempts: int, now: datetime, wished: int | None = None) -> datetime | None:
    """Return when to try again after so many attempts, None where it is given up.

    `wished` is what the other side asked for in seconds (Retry-After); it is heard up to an hour.
    """
    if attempts > len(PAUSES):
        return None
    pause = PAUSES[attempts - 1]
    if wished is not None:
        pause = max(pause, min(timedelta(seconds=max(0, wished)), LONGEST_WISH))
    return now + pause
