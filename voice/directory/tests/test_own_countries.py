"""The operator's own rows of the table of countries: in force as they are written, and never by halves."""

import json
import os

import pytest

from voice.directory import countries
from voice.directory.models import CivicAddress
from voice.directory.validation import TableValidator

LU = {
    "numbers": [{"dial": "112", "service": "all", "test": False}, {"dial": "933", "service": "test", "test": True}],
    "location_required": False,
    "source": "ILR, asked on 3 December",
    "date": "2026-12-03",
}
ADDRESS = {"required": ["city"], "postal_code": "[0-9]{5}", "example": "00100"}


@pytest.fixture
def write(tmp_path, settings):
    settings.COUNTRIES_FILE = tmp_path / "countries.json"
    times = iter(range(1, 100))

    def write(text):
        settings.COUNTRIES_FILE.write_text(text if isinstance(text, str) else json.dumps(text))
        at = next(times)
        os.utime(settings.COUNTRIES_FILE, (at, at))

    return write


def test_own_rows_go_before_those_that_came_with_us_as_soon_as_they_are_written(write):
    assert countries.location_required("LU") and "VA" not in countries.countries()

    write({"LU": LU, "VA": LU | {"address": ADDRESS}})
    assert not countries.location_required("LU") and "LU" in countries.countries_without_location()
    assert countries.countries()["LU"]["source"] == LU["source"] and countries.countries()["DE"]["location_required"]
    assert dict(countries.choices())["VA"]
    judged = TableValidator().judge(CivicAddress(country="VA", city="Vatican City", postal_code="1"))
    assert set(judged.problems) == {"postal_code"}
    assert countries.address_rules()["LU"]["required"]

    write({})
    assert countries.location_required("LU") and "VA" not in countries.countries()


@pytest.mark.parametrize(
    ("faulty", "said"),
    [
        ("{", "not JSON"),
        ([], "not {"),
        ({"Luxembourg": LU}, "no country's code"),
        ({"LU": {}}, "location_required"),
        ({"LU": LU | {"location_required": "no"}}, "location_required"),
        ({"LU": LU | {"source": " "}}, "source and date"),
        ({"LU": LU | {"numbers": []}}, "that is not to test"),
        ({"LU": LU | {"numbers": LU["numbers"][1:]}}, "that is not to test"),
        ({"LU": LU | {"numbers": LU["numbers"][:1] * 2}}, "each number once"),
        ({"LU": LU | {"numbers": [LU["numbers"][0] | {"dial": "4930123"}]}}, "2 to 6 digits"),
        ({"LU": LU | {"numbers": [LU["numbers"][0] | {"dial": "11;2"}]}}, "2 to 6 digits"),
        ({"LU": LU | {"numbers": [LU["numbers"][0] | {"service": "pizza"}]}}, "service"),
        ({"LU": LU | {"numbers": ["112"]}}, "numbers are"),
        ({"LU": LU | {"numbers": [LU["numbers"][0] | {"service": []}]}}, "service"),
        ({"LU": LU | {"address": {}}}, "required"),
        ({"LU": LU | {"address": ADDRESS | {"required": ["password"]}}}, "required"),
        ({"LU": LU | {"address": ADDRESS | {"required": [[]]}}}, "required"),
        ({"LU": LU | {"address": ADDRESS | {"postal_code": "["}}}, "postal_code"),
        ({"LU": LU | {"address": ADDRESS | {"example": None}}}, "example"),
        ({"LU": LU | {"address": ADDRESS | {"states": [1]}}}, "states"),
        ({"LU": LU | {"address": ADDRESS | {"box": [1, 2]}}}, "box"),
    ],
)
def test_a_faulty_table_is_refused_whole_and_what_was_read_before_stays(write, caplog, faulty, said):
    write({"LU": LU})
    assert not countries.location_required("LU")

    write(faulty)

    assert not countries.location_required("LU")
    assert "is not used" in caplog.text and said in caplog.text
    with pytest.raises(countries.FaultyTable, match=said.replace("{", r"\{")):
        countries.own_rows(faulty if isinstance(faulty, str) else json.dumps(faulty))
