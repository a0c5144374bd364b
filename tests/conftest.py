"""The cast with something to see and to steal, for the tests that walk over everything."""

from importlib import import_module
from importlib.util import find_spec

import pytest
from django.apps import apps
from django.core.cache import cache

from portal.db import contexts
from tenants import hosts
from tenants.demo import Cast


@pytest.fixture
def world(region, northwind, fabrikam, acme, globex, initech):
    """The cast with the things that the demo gives it, so that there is something to see and to steal."""
    contexts.use_public()
    cast = Cast(region, [northwind, fabrikam], [acme, globex, initech])
    for config in apps.get_app_configs():
        if config.name != "tenants" and find_spec(f"{config.name}.demo"):
            import_module(f"{config.name}.demo").seed(cast)
    hosts.forget()
    cache.clear()
    yield cast
    cache.clear()
