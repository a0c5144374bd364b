"""A customer's life, as its MSP lives it."""

import uuid

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils.timezone import now

from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from portal.core.models import AuditEntry
from portal.db import contexts
from tenants import selectors, services
from tenants.countries import COUNTRIES
from tenants.models import ChannelLimit, Customer, Domain, Invitation, LegalHold, Msp
from tenants.scopes import config_changed
from tenants.tests.clients import client_of
from tenants.zones import usual_zone, zones

pytestmark = pytest.mark.django_db
BY = Actor(email="nadia@northwind.example")


def new(msp: Msp, label: str = "umbrella", **facts: object) -> Customer:
    return Customer(
        **{"msp": msp, "name": "Umbrella", "label": label, "country": "DE", "time_zone": "Europe/Berlin"} | facts
    )


def test_a_customer_is_created_whole(northwind, django_capture_on_commit_callbacks):
    with contexts.msp(northwind), django_capture_on_commit_callbacks(execute=True):
        customer = services.create_customer(new(northwind), by=BY, admin_email="Ada@Umbrella.example")

    assert customer.schema_name == f"c{customer.pk:06d}"
    assert (customer.state, customer.config_version) == ("active", 1)
    with contexts.customer(customer):
        assert [row.fqdn for row in customer.customer_regions.all()] == ["umbrella.sbc.northwind.example"]
        assert Domain.objects.get(tenant=customer).domain == "umbrella.northwind.localhost"
        assert "routing_route" in connection.introspection.table_names()
        assert AuditEntry.objects.filter(verb="customer.created", tenant_id=customer.pk).exists()
    assert mail.outbox[0].to == ["ada@umbrella.example"]
    assert "Northwind <" in mail.outbox[0].from_email
    assert "http://umbrella.northwind.localhost:8000/invitations/" in mail.outbox[0].body


@pytest.mark.parametrize(
    "label",
    ["x',public;--", "PUBLIC", "public.x", "a" * 64, "tenletters", "☎", "аcme", "-acme", "acme-", "a b", "", "acme\n",
     "console", "xn--abc", "acme", 'a"b', "a\0b", "../etc"],
)  # fmt: skip
def test_a_hostile_or_used_label_is_refused_at_its_field(northwind, label):
    with contexts.msp(northwind), pytest.raises(ValidationError) as refused:
        services.create_customer(new(northwind, label), by=BY)

    assert "label" in refused.value.message_dict or "__all__" in refused.value.message_dict
    with contexts.msp(northwind):
        assert Customer.objects.count() == 2


def test_a_label_may_be_used_by_another_msp_but_never_again_by_its_own(northwind, fabrikam):
    with contexts.msp(northwind):
        customer = services.create_customer(new(northwind), by=BY)
        services.close_customer(customer, typed_name="Umbrella", reason="left", by=BY)
    with contexts.msp(fabrikam):
        services.create_customer(new(fabrikam), by=BY)

    with contexts.msp(northwind), pytest.raises(ValidationError):
        services.create_customer(new(northwind), by=BY)


def test_the_second_of_two_editors_is_told(northwind, acme):
    with contexts.msp(northwind):
        mine, theirs = Customer.objects.get(pk=acme.pk), Customer.objects.get(pk=acme.pk)
        theirs.channels = 40
        services.save_customer(theirs, by=Actor(email="olaf@northwind.example"))

        mine.channels = 50
        with pytest.raises(StaleEdit, match=r"olaf@northwind\.example"):
            services.save_customer(mine, by=BY)

        assert Customer.objects.get(pk=acme.pk).channels == 40


def test_each_limit_of_calls_is_kept_with_its_days(northwind):
    with contexts.msp(northwind):
        customer = services.create_customer(new(northwind, channels=10), by=BY)
        for change in ({"channels": 100}, {"name": "Umbrella AG"}, {"channels": 20}):
            customer = Customer.objects.get(pk=customer.pk)
            for name, value in change.items():
                setattr(customer, name, value)
            services.save_customer(customer, by=BY)

        kept = list(ChannelLimit.objects.filter(tenant=customer).order_by("since"))
        assert [each.channels for each in kept] == [10, 100, 20]
        assert [each.until for each in kept] == [kept[1].since, kept[2].since, None]
        with pytest.raises(IntegrityError, match="tenants_channellimit_no_overlap"), transaction.atomic():
            ChannelLimit.objects.create(msp=northwind, tenant=customer, channels=5)
    with contexts.customer(customer):
        assert ChannelLimit.objects.count() == 3
        assert not ChannelLimit.objects.update(channels=1), "a customer reads its own and changes none"


def test_the_programs_door_keeps_a_limit_too(northwind, acme, nadia):
    path = f"/api/v1/customers/{acme.pk}/"
    assert client_of(nadia, northwind).patch(path, {"channels": 31}, "application/json").status_code == 200

    with contexts.msp(northwind):
        kept = ChannelLimit.objects.filter(tenant=acme).order_by("since").values_list("channels", flat=True)
        assert list(kept) == [30, 31]


def test_suspending_and_closing_demand_a_reason_and_the_name(northwind, acme):
    with contexts.msp(northwind):
        with pytest.raises(ValidationError), transaction.atomic():
            services.suspend_customer(acme, reason=" ", by=BY)
        services.suspend_customer(acme, reason="unpaid", by=BY)
        services.resume_customer(acme, by=BY)
        with pytest.raises(ValidationError), transaction.atomic():
            services.close_customer(acme, typed_name="acme", reason="left", by=BY)
        services.close_customer(acme, typed_name="Acme", reason="left", by=BY)

    assert acme.state == "closing" and acme.retain_until
    assert services.finish_closing(by=BY) == []
    with contexts.msp(northwind):
        Customer.objects.filter(pk=acme.pk).update(live_version=99)
    assert services.finish_closing(by=BY) == [acme]
    with pytest.raises(contexts.ContextRefused):
        contexts.use_customer(Customer.objects.get(pk=acme.pk))
    later = acme.retain_until.replace(year=acme.retain_until.year + 1)
    with contexts.msp(northwind):
        hold = LegalHold(msp=northwind, tenant=acme, case="7", reason="A dispute", review="2099-01-01")
        services.place_hold(hold, by=BY)
        one = LegalHold(msp=northwind, tenant=acme, call=uuid.uuid4(), case="8", reason="One call", review="2099-01-01")
        services.place_hold(one, by=BY)
    assert services.forget_closed(today=later, by=BY) == 0
    with contexts.msp(northwind):
        services.release_hold(hold, reason="settled", by=BY)
    assert services.forget_closed(today=later, by=BY) == 1


def test_the_form_begins_with_the_country_of_most_customers_and_with_none_before_there_is_one(
    northwind, fabrikam, nadia
):
    for label, country in (("one", "CH"), ("two", "CH")):
        with contexts.msp(northwind):
            services.create_customer(new(northwind, label, country=country), by=BY)
    page = client_of(nadia, northwind).get("/customers/new/").content.decode()
    assert '<option value="CH" selected>' in page

    with contexts.msp(fabrikam):
        Customer.objects.filter(msp=fabrikam).update(country="GB")
        assert selectors.usual_country(fabrikam) == "GB"
    fresh = services.create_msp(Msp(name="Tailspin", slug="tailspin"), by=BY)
    with contexts.msp(fresh):
        assert selectors.usual_country(fresh) == ""


@pytest.mark.parametrize(
    ("country", "zone"), [("DE", "Europe/Berlin"), ("US", "America/New_York"), ("GB", "Europe/London"), ("AQ", None)]
)
def test_a_customer_lives_in_the_usual_time_zone_of_its_country(northwind, nadia, country, zone):
    facts = {"name": "Umbrella", "label": "umbrella", "country": country, "time_zone": "", "cps": 5, "channels": 30,
             "caller_id_policy": "replace"}  # fmt: skip
    assert client_of(nadia, northwind).post("/customers/new/", facts).status_code == 302
    with contexts.msp(northwind):
        found = Customer.objects.get(label="umbrella").time_zone
    assert found == (zone or found) and found in zones()


def test_every_country_with_inhabitants_of_its_own_has_a_usual_time_zone():
    assert {usual_zone(country) for country in COUNTRIES} <= zones()
    # Islands that are part of another country, and two that nobody lives on.
    without = {country for country in COUNTRIES if usual_zone(country) == "UTC"}
    assert without <= {"AC", "BV", "CP", "CQ", "DG", "EA", "HM", "IC", "TA"}


def test_the_longest_call_of_all_goes_to_whoever_has_none_of_its_own(northwind, acme, globex, initech, nadia):
    with contexts.msp(northwind):
        Customer.objects.filter(pk=globex.pk).update(longest_call_minutes=60)
    desk = client_of(nadia, northwind)

    def versions():
        with contexts.public():
            rows = [acme.pk, globex.pk, initech.pk]
            return [Customer.objects.values_list("config_version", flat=True).get(pk=pk) for pk in rows]

    before = versions()
    assert "from 1 to 720" in desk.post("/customers/limits/", {"longest_call_minutes": "721"}).content.decode()
    assert desk.post("/customers/limits/", {"longest_call_minutes": "240"}).status_code == 302
    assert "Globex" in desk.get("/customers/limits/").content.decode()
    assert versions() == [before[0] + 1, *before[1:]]
    same = desk.post("/api/v1/customers/limits/", {"longest_call_minutes": 240}, content_type="application/json")
    assert same.json() == desk.get("/api/v1/customers/limits/").json() == {"longest_call_minutes": 240}
    assert versions() == [before[0] + 1, *before[1:]]
    wrong = desk.post("/api/v1/customers/limits/", {"longest_call_minutes": 0}, content_type="application/json")
    assert wrong.status_code == 400
    with contexts.msp(northwind):
        assert AuditEntry.objects.get(verb="msp.longest_call").after == {"longest_call_minutes": 240}


def test_the_msp_decides_whether_approved_foreign_numbers_may_be_shown(northwind, acme, nadia):
    browser = client_of(nadia, northwind)
    before = acme.config_version
    assert "once each is approved with proof" in browser.get(f"/customers/{acme.pk}/edit/").content.decode()
    facts = {"name": "Acme", "country": "DE", "time_zone": "Europe/Berlin", "cps": 5, "channels": 30,
             "caller_id_policy": "replace", "foreign_caller_id": "on", "config_version": before,
             "longest_call_minutes": 720}  # fmt: skip
    refused = browser.post(f"/customers/{acme.pk}/edit/", facts | {"longest_call_minutes": 721})
    assert "from 1 to 720 minutes" in refused.text
    assert browser.post(f"/customers/{acme.pk}/edit/", facts).status_code == 302
    with contexts.msp(northwind):
        stored = Customer.objects.get(pk=acme.pk)
        assert (stored.foreign_caller_id, stored.config_version) == (True, before + 1)
        entry = AuditEntry.objects.filter(verb="customer.changed", tenant_id=acme.pk).latest("at")
        assert (entry.before["foreign_caller_id"], entry.after["foreign_caller_id"]) == (False, True)
    answer = browser.patch(
        f"/api/v1/customers/{acme.pk}/", {"foreign_caller_id": False}, content_type="application/json"
    )
    assert answer.status_code == 200 and answer.json()["foreign_caller_id"] is False


def test_only_the_numbers_own_service_sets_the_default_caller_id(northwind, acme):
    with contexts.msp(northwind):
        customer = Customer.objects.get(pk=acme.pk)
        customer.default_caller_id, customer.channels = "+49301234500", 40
        services.save_customer(customer, by=BY)
        assert Customer.objects.get(pk=acme.pk).default_caller_id == ""


def test_a_closed_customer_asks_nothing_of_the_sbcs_any_more(northwind, acme):
    with contexts.msp(northwind):
        Customer.objects.filter(pk=acme.pk).update(state="closed")
        before = Customer.objects.get(pk=acme.pk).config_version
        assert config_changed(acme) == before
        assert Customer.objects.get(pk=acme.pk).config_version == before


def test_the_steps_say_what_a_person_can_do_next(northwind, nadia, monkeypatch):
    with contexts.msp(northwind):
        customer = services.create_customer(new(northwind), by=BY)
        browser, path = client_of(nadia, northwind), f"/customers/{customer.pk}/steps/"

        text = browser.get(path).content.decode()
        assert "nobody is invited yet" in text and f'href="/customers/{customer.pk}/invite/"' in text
        assert "On its way to the SBCs" in text and "See what each SBC runs" in text
        assert "Place a test call" not in text

        services.invite("ada@umbrella.example", role="admin", msp=None, tenant=customer, by=BY)
        Invitation.objects.filter(email="ada@umbrella.example").update(sent_at=None)
        assert "did not leave" in browser.get(path).content.decode()
        Invitation.objects.filter(email="ada@umbrella.example").update(sent_at=now())
        Customer.objects.filter(pk=customer.pk).update(live_version=customer.config_version)
        text = browser.get(path).content.decode()
        assert "Place a test call" not in text, "what layers above tell is not done"
        monkeypatch.setattr(selectors, "_steps", [])
        assert "Place a test call" in browser.get(path).content.decode()
