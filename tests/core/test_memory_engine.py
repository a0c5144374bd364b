"""Without Kamailio the portal runs with an engine in memory, and every page says so."""

import pytest

pytestmark = pytest.mark.django_db
WORDS = "this installation runs the in-memory engine"


@pytest.fixture(params=["memory", "kamailio"])
def engine(request, settings):
    settings.SBC_ENGINE = request.param
    return request.param


def test_every_page_says_so(engine, client_of, acme, northwind, alice, nadia, operator):
    browsers = [client_of(alice, acme), client_of(nadia, northwind), client_of(operator)]
    for browser in browsers:
        for path in ("/", "/audit/", "/account/login/", "/nothing-here/"):
            page = browser.get(path, follow=True).content.decode()
            assert "<html" in page and (WORDS in page) is (engine == "memory"), path


def test_strangers_are_told_too(engine, client_of, acme):
    page = client_of(None, acme).get("/account/login/").content.decode()
    assert "<html" in page and (WORDS in page) is (engine == "memory")
