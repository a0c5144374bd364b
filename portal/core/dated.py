"""Rows that say from when until when something was so. Fees are asked for these days (docs/pricing.md §12)."""

from datetime import datetime
from typing import Self

from django.db import models
from django.db.models import F
from django.db.models.functions import Greatest
from django.utils import timezone


class DatedQuerySet(models.QuerySet["Dated"]):
    def open(self) -> Self:
        """Rows of what is so now."""
        return self.filter(until=None)

    def end(self, at: datetime) -> int:
        """End what is open; by the clock of a machine that is behind it lasts no time, and never less."""
        return self.open().update(until=Greatest(F("since"), at))

    def last_of_each(self, *fields: str) -> Self:
        """Return the newest row of each, open or not."""
        return self.order_by(*fields, "-since", "-pk").distinct(*fields)


class Dated(models.Model):
    """Something that is so from `since` on, until `until`, which is not in it; open while nobody ended it.

    `portal.db.dated.NoOverlap` lets the database refuse two rows of one thing for the same moment.
    """

    since = models.DateTimeField(default=timezone.now, editable=False)
    until = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    def next(self, at: datetime) -> datetime:
        """Return when another row may begin, asked at `at`: machines' clocks differ, and rows never overlap."""
        return max(at, self.until or self.since)
