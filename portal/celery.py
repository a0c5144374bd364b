"""`celery -A portal.celery`: the queue and its clock."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from portal.core.queue import app  # noqa: E402

app.conf.beat_schedule = {
    "core.sweep": {"task": "portal.core.tasks.sweep", "schedule": 60.0},
}

__all__ = ["app"]
