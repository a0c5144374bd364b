"""A buying deck, and how a file comes into one."""

from datetime import UTC, datetime

import pytest

from portal.core.audit import Actor
from portal.db import contexts
from voice.rating import imports, services, tasks  # noqa: F401  registers the jobs
from voice.rating.models import RateDeck

BY = Actor(email="nadia@northwind.example")
JUNE = datetime(2026, 6, 1, tzinfo=UTC)


@pytest.fixture
def deck(northwind):
    contexts.use_msp(northwind)
    return services.save_deck(RateDeck(msp=northwind, name="Carrier A", kind="buy", currency="EUR"), by=BY)


@pytest.fixture
def bring(django_capture_on_commit_callbacks):
    def bring(deck, text, at=JUNE, full=True, **facts):
        with django_capture_on_commit_callbacks(execute=True):
            content = text if isinstance(text, bytes) else text.encode()
            file = imports.start_import(deck, "rates.csv", content, at=at, full=full, by=BY, **facts)
        file.refresh_from_db()
        return file

    return bring


@pytest.fixture
def agree(django_capture_on_commit_callbacks):
    def agree(file, accept=True):
        with django_capture_on_commit_callbacks(execute=True):
            imports.confirm(file, accept=accept, by=BY)
        file.refresh_from_db()
        file.version.refresh_from_db()
        return file.version

    return agree
