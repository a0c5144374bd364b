"""`celery -A portal.celery`: the queue and its clock."""

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
django.setup()

from celery.schedules import crontab  # noqa: E402

from portal.core.queue import app  # noqa: E402

app.conf.beat_schedule = {
    "core.sweep": {"task": "portal.core.tasks.sweep", "schedule": 60.0},
    "sbc.sweep": {"task": "sbc.tasks.sweep", "schedule": 5.0, "options": {"expires": 5.0}},
    "sbc.rank": {"task": "sbc.tasks.rank", "schedule": 5.0, "options": {"expires": 5.0}},
    "sbc.follow_numbers": {"task": "sbc.tasks.follow_numbers", "schedule": 60.0, "options": {"expires": 60.0}},
    "sbc.warn_of_certificates": {"task": "sbc.tasks.warn_of_certificates", "schedule": 600.0},
    "sbc.make_partitions": {"task": "sbc.tasks.make_partitions", "schedule": 3600.0},
    "sbc.reconcile": {"task": "sbc.tasks.reconcile", "schedule": 300.0, "options": {"expires": 300.0}},
    "sbc.settle_lost_calls": {"task": "sbc.tasks.settle_lost_calls", "schedule": 600.0, "options": {"expires": 600.0}},
    # Each night asks whether the month's erasure is done: a night when the portal was off skips no month.
    "sbc.erase": {"task": "sbc.tasks.erase", "schedule": crontab(hour="2", minute="40")},
    "tenants.finish_closing": {"task": "tenants.tasks.finish_closing", "schedule": 30.0, "options": {"expires": 30.0}},
    "tenants.check_hosts": {"task": "tenants.tasks.check_hosts", "schedule": 60.0, "options": {"expires": 60.0}},
    "tenants.forget_closed": {"task": "tenants.tasks.forget_closed", "schedule": 6 * 3600.0},
    "numbers.take_back": {"task": "voice.numbers.tasks.take_back", "schedule": 60.0, "options": {"expires": 60.0}},
    "numbers.withdraw_caller_ids": {
        "task": "voice.numbers.tasks.withdraw_caller_ids",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "inventory.end_cooling": {"task": "voice.inventory.tasks.end_cooling", "schedule": 600.0},
    # The European Central Bank publishes at four in the afternoon of its own clock.
    "currencies.import_latest": {
        "task": "voice.currencies.tasks.import_latest",
        "schedule": crontab(hour="16,20", minute="30"),
    },
    "rating.warn_of_limits": {
        "task": "voice.rating.tasks.warn_of_limits",
        "schedule": 20.0,
        "options": {"expires": 20.0},
    },
    "delivery.deliver": {"task": "voice.delivery.tasks.deliver", "schedule": 3.0, "options": {"expires": 3.0}},
    "delivery.put_files": {"task": "voice.delivery.tasks.put_files", "schedule": 30.0, "options": {"expires": 30.0}},
    "delivery.sweep": {"task": "voice.delivery.tasks.sweep", "schedule": 3600.0},
    "rating.expire_drafts": {"task": "voice.rating.tasks.expire_drafts", "schedule": 3600.0},
    "rerating.expire": {"task": "voice.rerating.tasks.expire", "schedule": 3600.0},
    "receivables.store_files": {"task": "voice.receivables.tasks.store_files", "schedule": 600.0},
    "payments.sweep": {"task": "voice.payments.tasks.sweep", "schedule": 60.0, "options": {"expires": 60.0}},
    "margin.expect": {"task": "voice.margin.tasks.expect", "schedule": crontab(hour="3", minute="50")},
    "payments.remind": {"task": "voice.payments.tasks.remind", "schedule": crontab(hour="5", minute="10")},
    "receivables.follow_decks": {
        "task": "voice.receivables.tasks.follow_decks",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "receivables.send_notices": {
        "task": "voice.receivables.tasks.send_notices",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "receivables.take_up_runs": {
        "task": "voice.receivables.tasks.take_up_runs",
        "schedule": 60.0,
        "options": {"expires": 60.0},
    },
    "calls.note_busy_minutes": {
        "task": "voice.calls.tasks.note_busy_minutes",
        "schedule": 600.0,
        "options": {"expires": 600.0},
    },
    "calls.note_peaks": {"task": "voice.calls.tasks.note_peaks", "schedule": crontab(minute="15")},
    "calls.sample_concurrency": {
        "task": "voice.calls.tasks.sample_concurrency",
        "schedule": 10.0,
        "options": {"expires": 10.0},
    },
}

__all__ = ["app"]
