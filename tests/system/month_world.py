"""What the month's test does inside the installation: `python -m tests.system.month_world WHAT '{"…": …}'`.

The last line that is printed is the answer.
"""

import json
import sys
from datetime import date, datetime, timedelta
from importlib import import_module

import django
from django.utils import timezone

from tests.system.month_deals import midnight


def set_clock_back(moment: datetime) -> None:
    """Let all that is loaded from here on believe that it is `moment`."""
    real, behind = timezone.now, timezone.now() - moment
    timezone.now = lambda: real() - behind


def main() -> None:
    """Do what the command line says."""
    what, told = sys.argv[1], json.loads(sys.argv[2])
    if what == "make":
        set_clock_back(midnight(date.fromisoformat(told["month"])) - timedelta(days=50))
    django.setup()
    # Only now: what is imported takes its clock with it.
    setting = import_module("tests.system.month_setting")
    print(json.dumps(getattr(setting, what)(told)))


if __name__ == "__main__":
    main()
