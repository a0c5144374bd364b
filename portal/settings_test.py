"""Settings of the tests: the portal's, with everything that would leave this process replaced."""

import os

os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "x" * 50)
os.environ.setdefault("SECRET_BOX_KEYS", "dGVzdHMtb25seS10ZXN0cy1vbmx5LXRlc3RzLW9ubHk=")

from portal.settings import *  # noqa: F403
from portal.settings import CACHES, DATABASES, STORAGES, VAR_DIR

# The name and the place come from conftest.py, which starts a server for the session.
DATABASES["default"] |= {"OPTIONS": {"pool": {"min_size": 1, "max_size": 5, "timeout": 10}}}
CHANNEL_LAYERS = {alias: {"BACKEND": "channels.layers.InMemoryChannelLayer"} for alias in ("default", "workers")}
CACHES = {alias: {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"} for alias in CACHES}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
CELERY_TASK_ALWAYS_EAGER = True
CELERY_TASK_EAGER_PROPAGATES = True
CELERY_BROKER_URL = "memory://"
CARD_LAB = True
COUNTRIES_FILE = VAR_DIR / "test" / "no-countries.json"
DNS_RESOLVER = "tenants.resolver.FileDns"
