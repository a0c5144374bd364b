"""How long a contract binds: pure. A term goes on by its renewal unless notice is given in time."""

from dataclasses import dataclass
from datetime import date, timedelta

from voice.plans.proration import add_months


@dataclass(frozen=True, slots=True)
class Term:
    """A contract's terms; without renewal it goes on day by day once its term is over."""

    starts: date
    months: int
    renewal_months: int
    notice_days: int

    def ends_after(self, day: date) -> date:
        """Return the first day on or after `day` with which a term is over: the first day without contract."""
        end = add_months(self.starts, self.months)
        if not self.renewal_months:
            return max(end, day)
        turns = 0
        while end < day:
            turns += 1
            end = add_months(self.starts, self.months + turns * self.renewal_months)
        return end

    def earliest_end(self, noticed: date) -> date:
        """Return the first day without contract where notice is given on a day."""
        return self.ends_after(noticed + timedelta(days=self.notice_days))
