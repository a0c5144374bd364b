import pytest
from django.core.exceptions import ValidationError
from django.utils.timezone import now

from portal.core import audit
from portal.core.errors import StaleEdit
from portal.core.models import AuditEntry
from portal.db import contexts
from voice.carriers.models import Trunk, TrunkGrant
from voice.carriers.services import delete_trunk
from voice.carriers.tests.make import own_trunk
from voice.routing import selectors, services
from voice.routing.choose import Outcome
from voice.routing.models import Route, Schedule

pytestmark = pytest.mark.django_db
BY = audit.Actor(user_id=None, email="alice@acme.example")


@pytest.fixture
def trunks(acme, northwind):
    with contexts.msp(northwind):
        made = [Trunk.objects.create(msp=northwind, name=name, host="127.0.9.1") for name in ("Carrier A", "Carrier B")]
        for trunk in made:
            TrunkGrant.objects.create(msp=northwind, trunk=trunk, tenant=acme)
    contexts.use_customer(acme)
    return [trunk.pk for trunk in made]


def save(customer, pattern="+44*", trunks=(), **facts):
    action = Route.Action.ROUTE if trunks else Route.Action.BLOCK
    return services.save_route(Route(pattern=pattern, action=action, **facts), trunks, customer=customer, by=BY)


def test_a_saved_line_is_normalised_last_in_order_versioned_and_audited(acme, trunks):
    version = acme.config_version

    save(acme, "+1*", trunks)
    route = save(acme, "0044 20-*", trunks[::-1], note="London")

    assert (route.pattern, route.prefix, route.position) == ("+4420*", "4420", 2)
    assert [each.trunk_id for each in route.trunks.all()] == trunks[::-1]
    assert route.config_version == acme.config_version == version + 2
    entry = AuditEntry.objects.get(verb="route.saved", object_id=str(route.pk))
    assert entry.after["trunks"] == ["Carrier B", "Carrier A"]


def test_what_a_line_no_longer_names_is_deleted_without_being_read(acme, trunks, django_assert_num_queries):
    with contexts.customer(acme):
        route = save(acme, trunks=trunks)
        with django_assert_num_queries(1):
            assert route.trunks.all().delete()[0] == len(trunks)


def test_the_second_of_two_editors_is_told_and_nothing_is_overwritten(acme, trunks):
    route = save(acme, trunks=trunks)
    first, second = Route.objects.get(pk=route.pk), Route.objects.get(pk=route.pk)
    first.note, second.note = "first", "second"
    services.save_route(first, trunks, customer=acme, by=BY, seen=route.row_version)

    with pytest.raises(StaleEdit):
        services.save_route(second, trunks, customer=acme, by=BY, seen=route.row_version)

    assert Route.objects.get(pk=route.pk).note == "first"


@pytest.mark.parametrize("trunk", [0, 999_999])
def test_a_trunk_that_is_not_the_customers_is_refused_at_the_field(acme, trunks, trunk):
    with pytest.raises(ValidationError) as refused:
        save(acme, trunks=[trunk])

    assert "action" in refused.value.message_dict
    assert not Route.objects.exists()


def test_the_trunk_of_another_customer_is_refused_like_one_that_does_not_exist(acme, globex, northwind, trunks):
    with contexts.msp(northwind):
        foreign = Trunk.objects.create(msp=northwind, tenant=globex, name="Globex's own", host="127.0.9.7").pk

    with pytest.raises(ValidationError):
        save(acme, trunks=[foreign])


def test_the_last_line_is_block_until_it_is_changed_and_is_never_removed(acme, trunks):
    assert selectors.try_number(acme, "442071234567", "", now()).choice.outcome is Outcome.NO_LINE

    rest = services.save_route(selectors.default_route(), [], customer=acme, by=BY)
    save(acme, "+44*", trunks)

    assert selectors.try_number(acme, "442071234567", "", now()).choice.outcome is Outcome.TRUNK
    assert selectors.try_number(acme, "12125550100", "", now()).choice.line.id == rest.pk
    with pytest.raises(ValidationError):
        services.delete_route(rest, customer=acme, by=BY)


def test_lines_swap_places_and_the_edges_hold(acme, trunks):
    first, second = save(acme, "+1*", trunks), save(acme, "+2*", trunks)

    services.move_route(second, up=True, customer=acme, by=BY)
    services.move_route(second, up=True, customer=acme, by=BY)

    assert list(selectors.routes_in_dial_order()) == [second, first]


def test_an_order_over_other_lines_is_refused(acme, trunks):
    first, second = save(acme, "+1*", trunks), save(acme, "+2*", trunks)

    services.set_order([second.pk, first.pk], customer=acme, by=BY)
    with pytest.raises(StaleEdit):
        services.set_order([second.pk], customer=acme, by=BY)

    assert list(selectors.routes_in_dial_order()) == [second, first]


@pytest.mark.parametrize(
    "windows",
    [
        [],
        [{"days": [], "begin": "09:00", "until": "17:00"}],
        [{"days": [7], "begin": "09:00", "until": "17:00"}],
        [{"days": [1], "begin": "9 o'clock", "until": "17:00"}],
        "Mon-Fri",
        [{"days": [1]}],
    ],
)
def test_hours_that_make_no_sense_are_refused(acme, windows):
    with pytest.raises(ValidationError):
        services.save_schedule(Schedule(name="Office", windows=windows), customer=acme, by=BY)


def test_the_audit_log_says_what_hours_were_before(acme):
    hours = [{"days": [0], "begin": "09:00", "until": "17:00"}]
    office = services.save_schedule(Schedule(name="Office", windows=hours), customer=acme, by=BY)
    office.name = "Front desk"
    services.save_schedule(office, customer=acme, by=BY)

    entry = AuditEntry.objects.filter(verb="schedule.saved").latest("at")
    assert (entry.before["name"], entry.after["name"]) == ("Office", "Front desk")


def test_hours_in_use_stay(acme, trunks):
    hours = [{"days": [0], "begin": "09:00", "until": "17:00"}]
    office = services.save_schedule(Schedule(name="Office", windows=hours), customer=acme, by=BY)
    save(acme, trunks=trunks, schedule=office)

    with pytest.raises(ValidationError):
        services.delete_schedule(office, customer=acme, by=BY)


def test_who_takes_a_trunk_back_reads_which_lines_will_skip_it(acme, northwind, nadia, trunks, client_of):
    for pattern in ("+44*", "+1*", "+33*"):
        save(acme, pattern, trunks)
    contexts.use_public()
    browser = client_of(nadia, northwind)

    page = browser.get(f"/carriers/trunks/{trunks[0]}/customers/{acme.pk}/revoke/").content.decode()
    assert "Acme still names it: 3 lines of the routing." in page

    browser.post(f"/carriers/trunks/{trunks[0]}/customers/{acme.pk}/revoke/", {"confirmed": "1"})
    with contexts.customer(acme):
        assert all(each.trunks.count() == 2 for each in Route.objects.filter(is_default=False)), "the lines stay"


def test_hours_have_no_more_closed_dates_than_an_sbc_takes(acme, trunks):
    closed = [f"20{year}-{month:02}-{day:02}" for year in (26, 27) for month in range(1, 13) for day in range(1, 20)]
    hours = Schedule(name="Office", windows=[{"days": [0], "begin": "09:00", "until": "17:00"}], closed=closed)

    with pytest.raises(ValidationError, match="at most 400 closed dates"):
        services.save_schedule(hours, customer=acme, by=BY)


def test_a_customers_own_trunk_is_not_closed_under_its_routing(acme, alice):
    own = own_trunk(acme, alice)
    save(acme, "+44*", [own.pk])
    with pytest.raises(ValidationError, match="1 line of the routing"):
        delete_trunk(own, by=alice)


def test_an_order_that_somebody_changed_meanwhile_is_not_overwritten(acme, trunks):
    first, second, third = (save(acme, pattern, trunks) for pattern in ("+1*", "+2*", "+3*"))
    seen = [first.pk, second.pk, third.pk]
    services.move_route(third, up=True, customer=acme, by=BY)

    with pytest.raises(StaleEdit, match="changed the order meanwhile"):
        services.set_order([second.pk, first.pk, third.pk], customer=acme, by=BY, seen=seen)

    assert list(selectors.routes_in_dial_order()) == [first, third, second]


def test_what_only_the_database_refuses_comes_back_in_words(acme, trunks):
    rest = services.save_route(selectors.default_route(), [], customer=acme, by=BY)
    rest.enabled = False

    with pytest.raises(ValidationError, match="The last line takes everything else"):
        services.save_route(rest, [], customer=acme, by=BY)

    assert Route.objects.get(pk=rest.pk).enabled
