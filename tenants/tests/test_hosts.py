"""Which host leads where, and what strangers learn from the others."""

import pytest
from django.contrib.sessions.models import Session
from django.forms.models import model_to_dict
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from portal.db import contexts
from tenants import hosts
from tenants.models import Brand, Customer
from tenants.sessions import SessionStore
from tenants.tests.clients import client_of, host_of, visitor

SAME = [
    "ACME.Northwind.LOCALHOST",
    "acme.northwind.localhost.",
    "acme.northwind.localhost:8000",
    "acme.northwind.localhost.:80",
]
NONSENSE = [
    "", " ", ".", "acme..northwind.localhost", "-acme.localhost", "acme.northwind.localhost:0", "a:99999", "a:b",
    "[::1]", "127.0.0.1", "localhost",
    "evil.example",
    "acme.northwind.localhost@evil.example", "acme.northwind.localhost/x",
    "acme.northwind.localhost, evil.example", "acme.northwind.localhost\tx",
    "аcme.northwind.localhost", "x" * 300,
    "acme.northwind.localhost#", "acme.northwind.localhost?x", "acme_northwind.localhost", "acme.northwind.localhost..",
]  # fmt: skip


@pytest.fixture(autouse=True)
def _forget():
    hosts.forget()
    yield
    hosts.forget()


@pytest.mark.parametrize("authority", SAME)
def test_one_host_in_all_its_spellings(authority):
    assert hosts.normalise(authority) == "acme.northwind.localhost"


@given(st.text(max_size=80))
def test_whatever_is_no_host_never_becomes_one(text):
    host = hosts.normalise(text)
    assert host is None or (host == hosts.normalise(host) and host.isascii() and host == host.lower())


@pytest.mark.django_db
@pytest.mark.parametrize("authority", NONSENSE)
def test_an_unknown_host_gets_a_plain_404_that_gives_nothing_away(authority):
    for path in ("/", "/account/login/", "/brand.css", "/static/nothing", "/api/v1/me/"):
        answer = Client().get(path, HTTP_HOST=authority)
        assert (answer.status_code, answer.content) == (404, b"Not found\n")
        assert not answer.cookies


@pytest.fixture
def files(settings, tmp_path):
    """Files that a browser fetches beside a page, collected as in an installation."""
    settings.STATIC_ROOT = tmp_path
    for name in ("app.css", "icons.svg"):
        (tmp_path / name).write_text("ours")
    return [f"/static/{name}" for name in ("app.css", "icons.svg")]


@pytest.mark.django_db
@pytest.mark.parametrize("authority", NONSENSE)
def test_an_unknown_host_is_not_even_told_what_the_pages_are_made_of(authority, files, settings):
    settings.SECURE_SSL_REDIRECT = True
    for path in (*files, "/"):
        answer = Client().get(path, HTTP_HOST=authority)
        assert (answer.status_code, answer.content) == (404, b"Not found\n")
        assert set(answer.headers) == {"Content-Type"}


@pytest.mark.django_db
def test_a_known_host_has_the_files_without_asking_the_database(acme, northwind, files, django_assert_num_queries):
    for browser in (visitor(acme), visitor(northwind), visitor(None)):
        browser.get("/account/login/")
        with django_assert_num_queries(0):
            for path in files:
                answer = browser.get(path)
                assert (answer.status_code, b"".join(answer.streaming_content)) == (200, b"ours")


@pytest.mark.django_db
def test_a_closed_customers_host_has_no_files_either(acme, northwind, files):
    with contexts.msp(northwind):
        Customer.objects.filter(pk=acme.pk).update(state="closed")
    assert visitor(acme).get(files[0]).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize("authority", SAME)
def test_each_spelling_leads_to_the_portal(authority, acme):
    assert Client().get("/account/login/", HTTP_HOST=authority).status_code == 200


@pytest.mark.django_db
def test_a_new_customer_is_found_and_a_closed_one_is_not(northwind, acme):
    assert visitor(acme).get("/account/login/").status_code == 200
    with contexts.msp(northwind):
        Customer.objects.filter(pk=acme.pk).update(state="closed")
    assert visitor(acme).get("/account/login/").status_code == 404


@pytest.mark.django_db
def test_a_place_comes_with_its_rows_whole_but_for_the_picture(northwind, acme, django_assert_num_queries):
    with contexts.msp(northwind):
        Brand.objects.filter(msp=northwind).update(logo=b"picture", logo_width=9)
    with contexts.public():
        wanted = Customer.objects.select_related("msp__brand").get(pk=acme.pk)
    place = hosts.Place("acme.northwind.localhost", "customer", northwind.pk, acme.pk)
    console = hosts.Place("northwind.localhost", "msp", northwind.pk, None)

    with django_assert_num_queries(1):
        ground = hosts.ground_of(place)
        found = [ground.tenant, ground.tenant.msp, ground.msp.brand]
        assert [each.pk for each in found] == [wanted.pk, wanted.msp.pk, wanted.msp.brand.pk]
    for one, other in zip(found, [wanted, wanted.msp, wanted.msp.brand], strict=True):
        assert one.get_deferred_fields() == ({"logo"} if isinstance(one, Brand) else set())
        assert model_to_dict(one) == model_to_dict(other)
    assert hosts.ground_of(console).msp.brand.has_logo
    assert bytes(ground.msp.brand.logo) == b"picture"


@pytest.mark.parametrize(
    ("origin", "same"),
    [
        ("http://acme.northwind.localhost:8000", True),
        ("http://ACME.northwind.localhost:8000", True),
        ("http://acme.northwind.localhost", False),
        ("http://acme.northwind.localhost:8001", False),
        ("http://globex.northwind.localhost:8000", False),
        ("http://acme.northwind.localhost:8000@evil.example", False),
        ("http://evil.example/acme.northwind.localhost:8000", False),
        ("null", False),
        ("", False),
        ("file://", False),
        ("http://[::1", False),
    ],
)
def test_an_origin_is_the_same_host_and_port_or_foreign(origin, same):
    assert hosts.origin_matches(origin, "acme.northwind.localhost:8000") is same


@pytest.mark.django_db
def test_a_write_from_another_site_is_refused_even_with_session_and_token(acme, alice):
    browser = client_of(alice, acme)
    assert browser.post("/acting/stop/", HTTP_ORIGIN="http://evil.example").status_code == 403
    assert browser.post("/acting/stop/", HTTP_ORIGIN="null").status_code == 403
    assert browser.post("/acting/stop/", HTTP_ORIGIN="http://acme.northwind.localhost").status_code == 404


@pytest.mark.django_db
def test_a_session_is_worth_nothing_at_another_host(acme, globex, alice):
    browser = client_of(alice, acme)
    assert browser.get("/team/").status_code == 200
    stolen = visitor(globex)
    stolen.cookies["session"] = browser.cookies["session"].value
    assert stolen.get("/team/").status_code == 302
    assert browser.get("/team/").status_code == 200


@pytest.mark.django_db
def test_a_session_comes_with_its_place_while_it_lives(acme, northwind, alice, nadia, django_assert_num_queries):
    for user, place in ((alice, acme), (nadia, northwind)):
        key = client_of(user, place).cookies["session"].value
        home = hosts.place_of(host_of(place))
        with django_assert_num_queries(1):
            store = SessionStore(key)
            store.read_along = hosts.ground_of(home, key).session
            assert store["host"] == home.host
        assert hosts.ground_of(home).session is None
        other = SessionStore("another-session-key")
        other.read_along = hosts.ground_of(home, key).session
        assert "host" not in other
        Session.objects.filter(pk=key).update(expire_date=timezone.now())
        assert hosts.ground_of(home, key).session is None


@pytest.mark.django_db
def test_a_session_that_was_ended_elsewhere_is_over_at_the_next_request(acme, alice):
    browser = client_of(alice, acme)
    assert browser.get("/team/").status_code == 200
    Session.objects.filter(pk=browser.cookies["session"].value).delete()
    assert browser.get("/team/").status_code == 302


@pytest.mark.django_db
def test_a_changed_password_ends_the_sessions_of_the_old_one(acme, alice):
    browser = client_of(alice, acme)
    assert browser.get("/team/").status_code == 200
    alice.set_password("another long passphrase")
    alice.save()
    assert browser.get("/team/").status_code == 302


@pytest.mark.django_db
def test_what_a_person_sees_stays_in_no_cache(acme, alice):
    page = client_of(alice, acme).get("/")
    assert page["Cache-Control"] == "private, no-cache"
    assert "Cookie" in page["Vary"]
    # What is the same for everybody there may stay for a while.
    assert client_of(alice, acme).get("/brand.css")["Cache-Control"] == "max-age=60"
