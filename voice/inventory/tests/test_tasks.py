from django.utils import timezone

from portal.core.models import JobFile
from portal.db import contexts
from portal.ui import lists
from voice.inventory import tasks
from voice.inventory.models import StockNumber


def _stock(msp, *facts):
    with contexts.msp(msp):
        for number, more in enumerate(facts):
            StockNumber.objects.create(msp=msp, e164=f"+4930123450{number}", country="DE", **more)


def test_cooling_ends_for_every_msp(northwind, fabrikam):
    over = {"state": "cooling", "cooling_until": timezone.now()}
    _stock(northwind, over)
    with contexts.msp(fabrikam):
        StockNumber.objects.create(msp=fabrikam, e164="+442079460001", country="GB", **over)

    tasks.end_cooling()

    for msp in (northwind, fabrikam):
        with contexts.msp(msp):
            assert StockNumber.objects.get().state == "available"


def test_a_long_list_is_exported_in_the_background(
    northwind, nadia, client_of, monkeypatch, django_capture_on_commit_callbacks
):
    monkeypatch.setattr(lists, "EXPORT_AT_ONCE", 1)
    _stock(northwind, {}, {}, {"state": "closed"})
    browser = client_of(nadia, northwind)

    with django_capture_on_commit_callbacks(execute=True):
        answer = browser.get("/numbers/?state=available&export=csv")

    assert answer.status_code == 302
    with contexts.msp(northwind):
        content = bytes(JobFile.objects.get().content).decode()
    assert content.count("+4930123450") == 2
    assert browser.get(answer["Location"]).status_code == 200
