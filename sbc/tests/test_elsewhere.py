"""What a region's SBCs are told of numbers that customers of other regions have."""

import pytest
from hypothesis import given as anything
from hypothesis import strategies as st

from portal.core.audit import Actor
from portal.db import contexts
from sbc import services, tasks
from sbc.compiler import compile_region
from sbc.elsewhere import MOST, begin_elsewhere, covering
from sbc.facts import region_facts
from sbc.models import Node, Revision
from tenants.models import Customer, Region
from tenants.scopes import config_changed
from voice.numbers.tests.make import given, stock

anywhere = st.from_regex(r"[1-9][0-9]{4,12}", fullmatch=True)
digits = anywhere | st.text("0123456789", min_size=1, max_size=2).map("49301".__add__)


@anything(st.sets(digits, max_size=300), st.integers(9, 50))
def test_every_number_begins_with_one_of_few(beginnings: set[str], most: int):
    found = covering(beginnings, most)

    # No beginning is empty: a node would look for none, and protect nothing.
    assert len(found) <= most and all(found) and all(each.startswith(found) for each in beginnings)
    assert not [each for each in found for other in found if each != other and each.startswith(other)]


@anything(st.sets(digits, max_size=300))
def test_where_there_is_room_no_stranger_is_hidden(beginnings: set[str]):
    found, given_ones = covering(beginnings, 1000), tuple(beginnings)

    assert all(each.startswith(given_ones) or _whole(each, given_ones) for each in found)


def _whole(beginning: str, given_ones: tuple[str, ...]) -> bool:
    further = [f"{beginning}{digit}" for digit in "0123456789"]
    return any(each.startswith(beginning) for each in given_ones) and all(
        each.startswith(given_ones) or _whole(each, given_ones) for each in further
    )


def test_what_is_whole_is_one_and_what_is_few_stays_as_exact_as_it_is():
    hundreds = [f"49301{n:02}" for n in range(100)]

    assert covering(["4940", "49301", "4940", "493012"], 9) == ("49301", "4940")
    assert covering([*hundreds, "4940123"], 200) == ("49301", "4940123")
    assert covering([*hundreds[1:], "4940123"], 200) == (
        *(f"493010{n}" for n in range(1, 10)), *(f"49301{n}" for n in range(1, 10)), "4940123",
    )  # fmt: skip


def test_where_they_are_too_many_the_fullest_blocks_are_taken_whole_first():
    """Single numbers all over a country do not hide it as long as others are closer together."""
    scattered = [f"49{n}00" for n in range(100, 400, 7)]
    half, fifth = ([f"{begin}{n:02}" for n in range(0, 100, step)] for begin, step in (("3312", 2), ("4420", 5)))
    halves, fifths = ([f"{begin}{n}" for n in range(10)] for begin in ("3312", "4420"))

    assert covering([*half, *fifth, *scattered], 113) == (*half, *fifth, *scattered)
    assert covering([*half, *fifth, *scattered], 112) == (*halves, *fifth, *scattered)
    assert covering([*half, *fifth, *scattered], 72) == ("3312", *fifth, *scattered)
    assert covering([*half, *fifth, *scattered], 63) == ("3312", *fifths, *scattered)
    assert {each[:2] for each in covering([*half, *fifth, *scattered], 9)} == {"33", "44", "49"}


def test_hundreds_of_single_numbers_elsewhere_hide_no_stranger():
    single = [f"49{area}{n:04}" for area in (30, 40, 89, 221) for n in range(0, 10_000, 9)]

    assert covering(single, MOST) == tuple(sorted(single))


@pytest.fixture
def far(db: None) -> Region:
    """Another region, which serves nobody yet."""
    other = Region(name="Far", slug="far", allowed_networks=["127.0.9.0/24"])
    other.save()
    return other


def told(region: Region) -> tuple[str, ...]:
    with contexts.ingest():
        return begin_elsewhere(region)


def closing(customer: Customer) -> None:
    with contexts.customer(customer):
        assert Customer.objects.filter(pk=customer.pk).update(state=Customer.State.CLOSING)


@pytest.mark.django_db
def test_a_region_is_told_of_the_customers_that_it_does_not_serve(
    acme: Customer, initech: Customer, nadia, region: Region, far: Region
):
    given(acme, nadia, "+49301234500", "+49301234501", "+49891234500")
    given(initech, nadia, "+442079460000", country="GB")
    stock(acme.msp, "+49401234500")

    assert (told(region), told(far)) == ((), ("4420794600", "493012345", "498912345"))
    # It leaves the SBCs before its numbers are given back.
    closing(initech)
    assert told(region) == ("4420794600",)
    with contexts.ingest():
        rows = {row.key for row in compile_region(region_facts(far)) if row.key.startswith("e")}
    assert rows == {"e4420794600", "e493012345", "e498912345"}


@pytest.mark.django_db
def test_where_there_is_one_region_its_sbcs_know_every_number(acme: Customer, nadia, region: Region):
    given(acme, nadia, "+49301234500")
    closing(acme)

    assert told(region) == ()


@pytest.mark.django_db(transaction=True)
def test_regions_follow_numbers_that_come_and_go(acme: Customer, nadia, region: Region, far: Region):
    for each in (region, far):
        config_changed(each)
    services.compile_revisions()

    def versions() -> list[int]:
        tasks.follow_numbers()
        with contexts.ingest():
            return list(Region.objects.order_by("pk").values_list("config_version", flat=True))

    given(acme, nadia, "+442079460000", country="GB")
    before = versions()
    # Without an SBC nobody is told, and nothing waits to be live; its first one brings what came in between.
    assert versions() == before
    services.add_node(Node(region=far, name="far-1"), by=Actor.system("tests"))
    before = [old + new for old, new in zip(before, [0, 1], strict=True)]
    assert versions() == before
    services.compile_revisions()
    given(acme, nadia, "+49301234500")
    after = versions()
    # In the same hundred, so that nothing is new.
    given(acme, nadia, "+49301234599")

    assert [new - old for old, new in zip(before, after, strict=True)] == [0, 1]
    assert versions() == after
    with contexts.ingest():
        newest = Revision.objects.filter(scope=f"region:{far.pk}").latest("version")
    assert [row[1] for row in newest.rows if row[1].startswith("e")] == ["e4420794600", "e493012345"]
