"""Sessions in the database, as Django keeps them; each request asks for one, so the question is worded once."""

from functools import cache

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from portal.core.joined import Joined

LIVE_SESSION = "django_session.session_key = %s AND django_session.expire_date > %s"


class SessionStore(db.SessionStore):
    """Django's, but for `read_along`: the session's row, where the request has it already from looking up its place."""

    read_along: Session | None = None

    def _get_session_from_db(self) -> Session | None:
        # Good for one reading: what is loaded later may have changed since.
        row, self.read_along = self.read_along, None
        if row is not None and row.session_key == self.session_key:
            return row
        found = _question().first(self.session_key, timezone.now()) if self.session_key else None
        if found:
            return found[0]
        self._session_key = None
        return None


@cache
def _question() -> Joined:
    return Joined(f"django_session WHERE {LIVE_SESSION}", Session)
