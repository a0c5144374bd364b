"""Sessions in the database, as Django keeps them; each request asks for one, so the question is worded once."""

from functools import cache

from django.contrib.sessions.backends import db
from django.contrib.sessions.models import Session
from django.utils import timezone

from portal.core.joined import Joined


class SessionStore(db.SessionStore):
    def _get_session_from_db(self) -> Session | None:
        found = _question().first(self.session_key, timezone.now()) if self.session_key else None
        if found:
            return found[0]
        self._session_key = None
        return None


@cache
def _question() -> Joined:
    return Joined("django_session WHERE session_key = %s AND expire_date > %s", Session)
