"""The API's description is made without guessing: every path and field has a type."""

import pytest
from drf_spectacular.drainage import GENERATOR_STATS
from drf_spectacular.generators import SchemaGenerator

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("place", ["operator", "msp", "customer"])
def test_nothing_is_guessed(place, capfd):
    GENERATOR_STATS.reset()

    SchemaGenerator(urlconf=f"portal.urls_{place}").get_schema(public=True)

    assert not GENERATOR_STATS, capfd.readouterr().err
