"""Days that people can mean: beyond these the calendar itself ends, and with it what is reckoned from a day."""

from datetime import date, timedelta

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

FIRST, LAST = date(1990, 1, 1), date(2100, 12, 31)


def demand(**days: date | None) -> None:
    """Raise ValidationError at the name of a day that nobody can mean; None is no day."""
    wrong = [name for name, day in days.items() if day is not None and not FIRST <= day <= LAST]
    if wrong:
        words = _("Choose a day between %(first)d and %(last)d.") % {"first": FIRST.year, "last": LAST.year}
        raise ValidationError(dict.fromkeys(wrong, words))


def demand_come(**days: date | None) -> None:
    """Raise ValidationError at the name of a day that has not begun yet, wherever on earth somebody looks."""
    demand(**days)
    last = timezone.localdate() + timedelta(days=1)
    late = [name for name, day in days.items() if day is not None and day > last]
    if late:
        raise ValidationError(dict.fromkeys(late, _("This day has not come yet.")))
