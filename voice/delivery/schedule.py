"""When the next file is due; pure."""

from datetime import UTC, datetime, timedelta


def next_time(every: str, now: datetime) -> datetime:
    """Return the next full hour, or the next ten past midnight (UTC), after a moment."""
    hour = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    if every == "hour":
        return hour + timedelta(hours=1)
    day = hour.replace(hour=0) + timedelta(minutes=10)
    return day if day > now else day + timedelta(days=1)
