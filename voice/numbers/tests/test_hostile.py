import pytest

from voice.numbers.models import Number
from voice.numbers.tests.make import given, stock

HUGE = 10**30
TEXTS = ["\0", "'; DROP TABLE numbers_number; --", "%", "\\", "[", "(", "+", "x" * 10_000, "٠١٢", "👻", "..", "\u202e"]


@pytest.mark.parametrize("text", TEXTS)
def test_no_search_breaks_a_list(northwind, acme, alice, nadia, text, client_of):
    given(acme, nadia, "+49301234500")
    customer, msp = client_of(alice, acme), client_of(nadia, northwind)

    for browser, path in ((customer, "/numbers/"), (msp, "/numbers/"), (customer, "/trunks/"), (customer, "/people/")):
        assert browser.get(
            path, {"q": text, "state": text, "place": text, "cursor": text, "sort": text}
        ).status_code in (200, 400)
    for browser, path in ((customer, "/api/v1/numbers/"), (msp, "/api/v1/stock-numbers/")):
        # Programs are told that no text can hold a null character, and which states there are.
        assert browser.get(path, {"q": text}).status_code == (400 if text == "\0" else 200)
        assert browser.get(path, {"state": text}).status_code == 400


@pytest.mark.parametrize("pk", [0, -1, 2**31, 2**63, HUGE, "x", None, [], {}])
def test_no_id_breaks_a_write(northwind, acme, alice, nadia, pk, client_of):
    given(acme, nadia, "+49301234500")
    number = Number.objects.get()
    (free,) = stock(northwind, "+49301234501")
    customer, msp = client_of(alice, acme), client_of(nadia, northwind)

    def send(browser, method, path, body):
        return getattr(browser, method)(path, body, content_type="application/json").status_code

    assert send(msp, "post", "/api/v1/allocations/", {"ids": [pk], "customer": acme.pk}) in (400, 404)
    assert send(msp, "post", "/api/v1/allocations/", {"ids": [free], "customer": pk}) in (400, 404)
    assert send(msp, "post", "/api/v1/emergency-trunks/", {"country": "DE", "trunks": [pk]}) == 400
    assert send(customer, "post", "/api/v1/emergency/", {"trunks": [pk]}) == 400
    body = {"inbound": "trunk", "inbound_trunk": pk}
    assert send(customer, "patch", f"/api/v1/numbers/{number.pk}/", body) == 400
    for name in ("place", "person"):
        expected = (200,) if pk is None else (400,)
        assert send(customer, "patch", f"/api/v1/numbers/{number.pk}/", {name: pk}) in expected
    for path in ("/numbers/suspend/", "/numbers/location/"):
        assert customer.post(path, {"pick": [str(pk)], "confirmed": "1"}).status_code in (200, 302)
    for path in (f"/numbers/{pk}/", f"/trunks/{pk}/", f"/people/{pk}/", f"/api/v1/numbers/{pk}/"):
        assert customer.get(path).status_code == 404
