"""The settings of an installation that stands in the world, as .env.example gives them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import environment

ROOT = Path(__file__).resolve().parents[2]
ASK = """
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
call_command("check", deploy=True, fail_level="WARNING")
print(settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, settings.DEBUG, settings.DEMO)
"""


def test_an_installation_by_the_example_has_nothing_for_djangos_own_audit_to_find() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    secrets = {"SECRET_KEY": "x7" * 30 + "abcdefgh", "SECRET_BOX_KEYS": "a" * 43 + "="}
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    asked = subprocess.run(
        [sys.executable, "-c", ASK], cwd=ROOT, capture_output=True, text=True, check=False,
        env={**inherited, **given, **secrets, "DJANGO_SETTINGS_MODULE": "portal.settings"},
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr[-2000:]
    assert asked.stdout.split()[-4:] == ["__Host-session", "__Host-csrf", "False", "False"]


@pytest.mark.parametrize("unit", ["strowger@.service", "strowger-node.service"])
def test_more_than_a_thousand_pages_and_calls_may_be_open(unit: str) -> None:
    """Under systemd's own 1024 open files the portal resets every further connection."""
    assert "LimitNOFILE=65536" in (ROOT / "deploy" / "systemd" / unit).read_text().splitlines()


def test_an_address_of_the_database_says_everything_that_it_says() -> None:
    found = environment.database("postgresql://strowger:p%40ss@db.internal:5433/strowger")
    assert (found["HOST"], found["PORT"], found["USER"], found["PASSWORD"]) == (
        "db.internal", "5433", "strowger", "p@ss",
    )  # fmt: skip
    assert environment.database("postgresql://strowger@/strowger?host=/run/pg")["HOST"] == "/run/pg"


def test_what_would_be_dropped_from_the_databases_address_is_refused_with_where_it_belongs() -> None:
    with pytest.raises(ImproperlyConfigured, match=r"takes no sslmode, sslrootcert: .*PGSSLMODE"):
        environment.database("postgresql://a@db/b?sslmode=verify-full&sslrootcert=/etc/ca.pem")
