"""Plans and contracts as they are written: what is refused, what follows, who may see it."""

import threading
from datetime import date, datetime

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from portal.core.errors import StaleEdit
from portal.core.models import AuditEntry
from portal.db import contexts
from voice.plans import ordering, services
from voice.plans.models import AddOn, Component, Contract, Credit, DrawnPeriod, Phase, Plan, PlanVersion
from voice.plans.tests import make
from voice.plans.tests.make import BERLIN, BY, EUR, JULY, JUNE
from voice.plans.tiers import Tier
from voice.rating import services as rating
from voice.rating.models import CustomerDeck
from voice.rating.tests.make import stored_deck, stored_rate

pytestmark = pytest.mark.django_db
FEE = {"kind": "monthly", "name": "Fee", "amount": 10 * EUR}
MARCH = date(2026, 3, 1)


def phases(customer):
    return [(each.version.plan.name, each.begins, each.ends) for each in Phase.objects.filter(tenant=customer)
            .order_by("begins", "pk").select_related("version__plan")]  # fmt: skip


def test_nobody_publishes_or_drops_a_draft_that_has_other_parts_than_they_saw(northwind, office):
    version = make.published(northwind, FEE)
    draft = services.new_version(version.plan, by=BY)
    part = Component.objects.get(version=draft)
    seen, mine = PlanVersion.objects.get(pk=draft.pk), Component.objects.get(pk=part.pk)

    part.amount = 20 * EUR
    services.save_component(part, by=BY)

    for act in (services.publish, services.drop_version):
        with pytest.raises(StaleEdit):
            act(seen, by=BY)
    for act in (services.save_component, services.remove_component):
        with pytest.raises(StaleEdit):
            act(mine, by=BY)
    assert services.publish(PlanVersion.objects.get(pk=draft.pk), by=BY).components.get().amount == 20 * EUR


def test_what_is_done_to_a_contract_is_done_to_the_one_that_was_seen(northwind, office):
    version = make.published(northwind, FEE)
    contract = make.contract(office, version, term_months=0)
    seen = Contract.objects.get(pk=contract.pk)
    ordering.give_credit(Credit(contract=contract, month=JULY, amount=EUR, reason="Outage"), by=BY)

    for act in (
        lambda: ordering.end_contract(seen, noticed_on=JUNE, by=BY),
        lambda: ordering.change_plan(seen, version, on=JULY, by=BY),
    ):
        with pytest.raises(StaleEdit):
            act()
    assert Contract.objects.get(pk=contract.pk).ends is None


def test_a_published_version_never_changes_and_the_next_begins_as_its_copy(northwind, office):
    version = make.published(northwind, FEE, {"kind": "tiers", "name": "Volume", "tiers": [Tier(5, 2), Tier(None, 1)]})
    part = version.components.first()

    for act in (
        lambda: services.save_component(part, by=BY),
        lambda: services.remove_component(part, by=BY),
        lambda: services.save_version(PlanVersion.objects.get(pk=version.pk), by=BY),
        lambda: services.publish(version, by=BY),
        lambda: services.drop_version(version, by=BY),
    ):
        with pytest.raises(ValidationError):
            act()
    for act in (
        lambda: Component.objects.filter(pk=part.pk).update(amount=1),
        lambda: version.components.last().tiers.all().delete(),
        lambda: PlanVersion.objects.filter(pk=version.pk).update(note="x"),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            act()

    draft = services.new_version(version.plan, by=BY)
    assert services.new_version(version.plan, by=BY) == draft
    assert [(each.name, each.tiers.count()) for each in draft.components.order_by("position")] == [
        ("Fee", 0), ("Volume", 2),
    ]  # fmt: skip
    services.drop_version(draft, by=BY)
    assert version.plan.versions.count() == 1


def test_a_component_says_what_is_wrong_at_its_field(northwind, office):
    deck = stored_deck(northwind)
    stored_rate(deck, "49", 1, destination="Germany")
    plan = services.save_plan(Plan(msp=northwind, name="Draft", currency="EUR"), by=BY)
    draft = plan.versions.get()
    draft.deck = deck
    services.save_version(draft, by=BY)
    for field, facts in {
        "tiers": {"kind": "tiers", "name": "Volume"},
        "per": {"kind": "once", "name": "Set-up", "per": "seat"},
        "destinations": {"kind": "minutes", "name": "Bundle", "minutes": 5, "destinations": ["Germny"]},
        "__all__": {"kind": "minutes", "name": "Nothing"},
        "amount": {"kind": "monthly", "name": "Less", "amount": -1},
    }.items():
        with pytest.raises(ValidationError) as refused:
            services.save_component(Component(version=draft, **facts), by=BY)
        assert field in refused.value.message_dict
    with pytest.raises(ValidationError, match="nothing in this version"):
        PlanVersion.objects.filter(pk=draft.pk).update(deck=None)
        services.publish(draft, by=BY)


def test_a_deck_of_another_currency_or_msp_cannot_price_a_plan(northwind, fabrikam, office):
    with contexts.msp(fabrikam):
        strange = stored_deck(fabrikam)
    draft = services.save_plan(Plan(msp=northwind, name="Draft", currency="EUR"), by=BY).versions.get()
    for deck in (stored_deck(northwind, currency="USD"), stored_deck(northwind, "Buy", "buy"), strange):
        draft.deck = deck
        with pytest.raises(ValidationError) as refused:
            services.save_version(draft, by=BY)
        assert "deck" in refused.value.message_dict


def test_the_deck_in_force_follows_the_contract(northwind, office):
    decks = [stored_deck(northwind, name) for name in ("A", "B", "C")]
    first, second, third = (
        make.published(northwind, FEE, name=deck.name, deck=deck) for deck in decks
    )  # fmt: skip
    made = make.contract(office, first, starts=MARCH)
    ordering.change_plan(made, second, on=JULY, by=BY)
    # An earlier change takes the place of what was planned.
    ordering.change_plan(made, third, on=date(2026, 6, 16), by=BY)

    assert phases(office) == [("A", MARCH, date(2026, 6, 16)), ("C", date(2026, 6, 16), None), ("B", JULY, JULY)]
    at = datetime(2026, 8, 1, tzinfo=BERLIN)
    held = [each for each in CustomerDeck.objects.filter(tenant=office) if each.begins <= at and
            (each.ends is None or each.ends > at)]  # fmt: skip
    assert [each.deck.name for each in held] == ["C"]
    assert CustomerDeck.objects.filter(tenant=office, begins=datetime(2026, 6, 16, tzinfo=BERLIN), deck=decks[2])


class TestAPlannedChangeThatIsGivenUp:
    """Its deck, which was assigned when it was planned, comes into force for nobody."""

    @pytest.fixture
    def planned(self, northwind, office):
        """Acme has plan A with its deck, and is to have B with another one from July on."""
        decks = [stored_deck(northwind, name) for name in ("A", "B", "C")]
        first, second, third = (make.published(northwind, FEE, name=deck.name, deck=deck) for deck in decks)
        made = make.contract(office, first, starts=MARCH, term_months=0, notice_days=0)
        ordering.change_plan(made, second, on=JULY, by=BY)
        return made, third

    @staticmethod
    def decks(customer):
        held = CustomerDeck.objects.filter(tenant=customer).exclude(ends=F("begins")).select_related("deck")
        days = [(each, each.begins, each.ends) for each in held.order_by("begins")]
        return [(each.deck.name, *(at and at.astimezone(BERLIN).date() for at in span)) for each, *span in days]

    def test_by_the_end_of_the_contract(self, office, planned):
        made, third = planned
        assert self.decks(office) == [("A", MARCH, JULY), ("B", JULY, None)]
        ordering.end_contract(made, noticed_on=JUNE, ends=date(2026, 6, 15), by=BY)
        assert self.decks(office) == [("A", MARCH, None)]
        make.contract(office, third, starts=date(2026, 6, 20))
        assert self.decks(office) == [("A", MARCH, date(2026, 6, 20)), ("C", date(2026, 6, 20), None)]

    @pytest.mark.parametrize("on", [JUNE, JULY])
    def test_by_a_change_to_a_plan_without_a_deck(self, northwind, office, planned, on):
        made, _third = planned
        ordering.change_plan(made, make.published(northwind, FEE, name="No deck"), on=on, by=BY)
        assert self.decks(office) == [("A", MARCH, None)]

    def test_but_a_deck_that_was_assigned_by_hand_stays(self, northwind, office, planned):
        made, _third = planned
        by_hand = stored_deck(northwind, "By hand")
        august = datetime(2026, 8, 1, tzinfo=BERLIN)
        rating.assign_customer(office, by_hand, begins=august, by=BY)
        ordering.end_contract(made, noticed_on=JUNE, ends=date(2026, 6, 15), by=BY)
        assert self.decks(office) == [("A", MARCH, august.date()), ("By hand", august.date(), None)]


def test_a_customer_has_one_plan_on_a_day(northwind, office):
    version = make.published(northwind, FEE)
    made = make.contract(office, version, starts=MARCH)
    with pytest.raises(ValidationError, match="has a contract for these days"):
        make.contract(office, version, starts=JUNE)
    with pytest.raises(IntegrityError), transaction.atomic():
        Phase.objects.create(msp=northwind, tenant=office, contract=made, version=version, begins=JUNE, ends=JULY)


def test_only_a_published_version_of_ones_own_can_be_ordered(northwind, fabrikam, office, initech):
    draft = services.save_plan(Plan(msp=northwind, name="Draft", currency="EUR"), by=BY).versions.get()
    later = make.published(northwind, FEE, name="Later", since=JULY)
    with contexts.msp(fabrikam):
        strange = make.published(fabrikam, FEE)
    for version in (draft, later, strange):
        with pytest.raises(ValidationError):
            make.contract(office, version, starts=JUNE)
    with pytest.raises(ValidationError, match="no such customer"):
        ordering.start_contract(Contract(msp=northwind, tenant=initech, starts=JULY), later, by=BY)


def test_notice_ends_a_contract_with_its_term_unless_both_sides_agree(northwind, office):
    made = make.contract(office, make.published(northwind, FEE), starts=MARCH, renewal_months=12, notice_days=90)
    with pytest.raises(ValidationError, match="1 Mar 2027 at the earliest"):
        ordering.end_contract(made, noticed_on=JUNE, ends=JULY, by=BY)
    assert ordering.end_contract(made, noticed_on=JUNE, by=BY).ends == date(2027, 3, 1)
    assert ordering.end_contract(made, noticed_on=JUNE, ends=JULY, agreed=True, by=BY).ends == JULY
    # Notice is taken back in part, and the plan goes on.
    ordering.end_contract(made, noticed_on=JUNE, ends=date(2027, 3, 1), by=BY)
    assert phases(office) == [("Office", MARCH, date(2027, 3, 1))]
    with pytest.raises(ValidationError, match="does not run"):
        ordering.change_plan(made, make.published(northwind, FEE, name="B"), on=date(2027, 4, 1), by=BY)


def test_what_is_billed_is_closed(northwind, office):
    offer = FEE | {"optional": True}
    made = make.contract(office, make.published(northwind, FEE | {"name": "Base"}, offer), starts=MARCH)
    other = make.published(northwind, FEE, name="B")
    order = ordering.order_add_on(AddOn(contract=made, name="Fee", begins=MARCH), by=BY)
    credit = ordering.give_credit(Credit(contract=made, month=MARCH, amount=1, reason="Late"), by=BY)
    ordering.keep_draws(office, JUNE, JULY, [], "2026-00001")
    for act in (
        lambda: ordering.change_plan(made, other, on=date(2026, 6, 30), by=BY),
        lambda: ordering.end_contract(made, noticed_on=MARCH, ends=date(2026, 6, 30), agreed=True, by=BY),
        lambda: ordering.give_credit(Credit(contract=made, month=JUNE, amount=1, reason="Late"), by=BY),
        lambda: ordering.take_credit_back(credit, by=BY),
        lambda: ordering.end_add_on(order, on=JUNE, by=BY),
        lambda: ordering.order_add_on(AddOn(contract=made, name="Fee", begins=JUNE), by=BY),
    ):
        with pytest.raises(ValidationError, match="are billed"):
            act()
    with pytest.raises(IntegrityError), transaction.atomic():
        DrawnPeriod.objects.update(drawn=[])
    ordering.change_plan(made, other, on=JULY, by=BY)
    with pytest.raises(ValidationError, match="no such add-on"):
        ordering.order_add_on(AddOn(contract=made, name="Fee", begins=JULY), by=BY)
    # The bill is thrown away, and its days are open again.
    ordering.forget_draws(office, "2026-00001")
    ordering.change_plan(made, other, on=date(2026, 6, 30), by=BY)


def test_two_editors_do_not_overwrite_each_other(northwind, office):
    made = make.contract(office, make.published(northwind, FEE))
    mine, yours = Contract.objects.get(pk=made.pk), Contract.objects.get(pk=made.pk)
    mine.notice_days = 60
    ordering.save_contract(mine, by=BY)
    with pytest.raises(StaleEdit):
        ordering.save_contract(yours, by=BY)
    assert AuditEntry.objects.filter(verb="contract.saved", tenant_id=office.pk).count() == 1


def test_a_customer_sees_its_own_contract_and_nothing_of_how_plans_are_sold(northwind, office, globex):
    version = make.published(northwind, FEE, {"kind": "monthly", "name": "Secret", "amount": 1}, name="For Globex")
    with contexts.msp(northwind):
        make.contract(globex, version)
        make.contract(office, make.published(northwind, FEE))

    with contexts.customer(office):
        assert [each.tenant_id for each in Contract.objects.only("tenant_id")] == [office.pk]
        assert list(Plan.objects.values_list("name", flat=True)) == ["Office"]
        assert list(Component.objects.values_list("name", flat=True)) == ["Fee"]
        for refused in (lambda: Plan.objects.first().note, lambda: Contract.objects.update(notice_days=0)):
            with pytest.raises(Exception, match="permission denied"), transaction.atomic():
                refused()


@pytest.mark.django_db(transaction=True)
def test_of_two_contracts_at_once_one_is_made(northwind, office):
    version = make.published(northwind, FEE)
    together, outcome = threading.Barrier(2), []

    def start():
        try:
            with contexts.msp(northwind):
                together.wait()
                make.contract(office, version, starts=JUNE)
            outcome.append("made")
        except ValidationError:
            outcome.append("refused")
        finally:
            connection.close()

    threads = [threading.Thread(target=start) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcome) == ["made", "refused"]
