"""VAT ids: by their shape, by the register, and what happens when the register is away."""

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.utils import ProgrammingError

from portal.db import contexts
from voice.receivables.models import VatIdCheck
from voice.receivables.services import check_vat_id, save_profile
from voice.receivables.tests import make, vies
from voice.receivables.vat_ids import Answer, ByShape, Vies, written


@pytest.mark.parametrize("vat_id", ["DE123456789", "ATU12345678", "EL123456789", "NL123456789B01", "GB123456789"])
def test_the_shape_alone_is_said_to_be_the_shape_alone(vat_id):
    assert ByShape().check(vat_id).state == "shape"


@pytest.mark.parametrize("vat_id", ["DE12345678", "US123456789", "GR123456789", "", "D", "DE123456789x"])
def test_what_cannot_be_a_vat_id_is_wrong(vat_id):
    assert ByShape().check(vat_id).state == "wrong"


def test_people_write_vat_ids_with_blanks():
    assert written(" de 123.456-789 ") == "DE123456789"


@pytest.fixture(scope="module")
def register():
    with vies.register() as found:
        yield found


def test_the_register_answers_with_a_number_to_keep(register):
    url, asked = register
    found = Vies(url).check("DE123456789", "FR12345678901")

    assert found == Answer("valid", "", "VIES", "WAPIAAAAZqw1rXYZ", "Northwind Voice GmbH")
    assert asked[-1] == {
        "countryCode": "DE", "vatNumber": "123456789", "requesterMemberStateCode": "FR",
        "requesterNumber": "12345678901",
    }  # fmt: skip
    assert Vies(url).check("FR12345678901").name == "" and Vies(url).check("DE999999999").state == "wrong"


@pytest.mark.parametrize(("vat_id", "words"), [("ESX1234567X", "MS_UNAVAILABLE"), ("SE123456789012", "")])
def test_a_register_that_is_away_says_nothing_about_the_id(register, vat_id, words):
    found = Vies(register[0]).check(vat_id)
    assert (found.state, found.register) == ("unknown", "VIES") and words in found.words


def test_nobody_at_the_other_end_is_unknown_and_a_wrong_shape_is_not_asked_about(register):
    url, asked = register
    assert Vies("http://127.0.0.1:9/rest-api", 1).check("DE123456789").state == "unknown"
    before = len(asked)
    assert Vies(url).check("DE1").state == "wrong" and Vies(url).check("GB123456789").state == "shape"
    assert len(asked) == before


def test_an_asker_that_vies_does_not_know_does_not_keep_it_from_answering(register):
    assert Vies(register[0]).check("DE123456789", "DE000000000").state == "valid"


@pytest.mark.django_db
def test_answers_are_kept_and_a_missing_one_keeps_nobody_from_working(billed, register, settings, northwind, acme):
    settings.VAT_ID_CHECKER, settings.VIES_URL = "voice.receivables.vat_ids.Vies", register[0]
    contexts.use_msp(northwind)
    billed.vat_id, billed.country = "ES X1234567X", "ES"
    save_profile(billed, by=make.BY)
    assert billed.vat_id_state == "unknown"

    billed.vat_id, billed.country = "DE123456789", "DE"
    save_profile(billed, by=make.BY)
    save_profile(billed, by=make.BY)
    kept = VatIdCheck.objects.order_by("-pk")
    assert [(each.state, each.request_id) for each in kept][:2] == [("valid", "WAPIAAAAZqw1rXYZ"), ("unknown", "")]
    assert check_vat_id(billed, by=make.BY).state == "valid" and VatIdCheck.objects.count() == 4

    billed.vat_id = "DE999999999"
    with pytest.raises(ValidationError, match="not registered"):
        save_profile(billed, by=make.BY)
    with pytest.raises(ProgrammingError), transaction.atomic():
        kept.update(state="valid")
    with contexts.customer(acme):
        assert not VatIdCheck.objects.exists()
