"""Components: what they say, and that no text of a call, a customer or a carrier becomes markup."""

import re
from pathlib import Path
from types import SimpleNamespace

import pytest
from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.template import Context, Template
from django.test import RequestFactory

from portal.core.errors import StaleEdit
from portal.ui import errors, navigation, status
from portal.ui.confirm import Question, is_confirmed
from portal.ui.forms import Groups, groups, refuse
from portal.ui.icons import OUTLINE
from portal.ui.ladder import Message, draw
from portal.ui.parts import Line, changes

EVIL = '"><script>alert(1)</script>'
TEMPLATES = [path for path in (settings.BASE_DIR / "templates").rglob("*.html") if "mail" not in path.parts]


def drawn(source, **context):
    return Template("{% load ui %}" + source).render(Context(context))


@pytest.mark.parametrize(
    ("source", "context"),
    [
        ("{% status state %}", {"state": EVIL}),
        ("{% phone number %}", {"number": EVIL}),
        ("{% copyable text %}", {"text": EVIL}),
        ("{% fact text text text %}", {"text": EVIL}),
        ("{% panel text text %}{{ text }}{% endpanel %}", {"text": EVIL}),
        ("{% notice 'bad' text %}{{ text }}{% endnotice %}", {"text": EVIL}),
        ("{% empty text text text '/' %}", {"text": EVIL}),
        ("{% diff lines %}", {"lines": [Line("~", EVIL, EVIL, EVIL)]}),
        ("{% ladder parties messages %}", {"parties": [EVIL, EVIL], "messages": [Message(0, 1, EVIL, EVIL)]}),
        ("{% money 1 text %}", {"text": EVIL}),
    ],
)
def test_no_component_lets_text_become_markup(source, context):
    text = drawn(source, **context)

    assert "<script>" not in text
    assert "alert(1)" in text


def test_every_icon_that_a_page_or_a_state_names_is_in_the_sprite():
    named = {name for state in status.STATES.values() for name in [state.icon]}
    every = [*navigation.PLACES.values(), *navigation.TABS.values()]
    named |= {entry.icon for entries in every for entry in entries}
    for path in TEMPLATES:
        named |= set(re.findall(r"""\{% icon ["']([^"']+)["']""", path.read_text()))

    assert named <= OUTLINE


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(settings.BASE_DIR)))
def test_no_page_has_script_or_style_within_itself_or_from_elsewhere(path: Path):
    text = path.read_text()

    assert not re.search(r"<script(?![^>]*\bsrc=)", text)
    assert not re.search(r"\s(style|on[a-z]+)=", text)
    assert not re.search(r"""(src|href)=["']https?://""", text)
    assert "|safe" not in text.replace("|striptags|safe", "").replace("help_text|safe", "")


def test_a_state_without_words_of_its_own_reads_as_it_is():
    assert status.status("odd_state").word == "Odd state"
    assert status.status(None).word == "Unknown"


class TrunkForm(Groups, forms.Form):
    groups = [("Limits", ["cps"])]
    name = forms.CharField()
    cps = forms.IntegerField(widget=forms.NumberInput(attrs={"data-unit": "calls/s"}))


def test_a_form_has_labels_units_help_and_its_loose_fields_first():
    found = groups(TrunkForm())

    text = drawn("{% form form 'Save' '/back/' %}", form=TrunkForm())

    assert [(group.heading, [field.name for field in group.fields]) for group in found] == [
        ("", ["name"]),
        ("Limits", ["cps"]),
    ]
    assert '<label class="form-label" for="id_name">' in text
    assert '<span class="unit">calls/s</span>' in text
    assert "<legend>Limits</legend>" in text


def test_errors_stand_at_the_field_and_in_a_summary_that_leads_there():
    text = drawn("{% form form %}", form=TrunkForm({"name": EVIL, "cps": "many"}))

    assert '<a href="#id_cps">Cps</a>: Enter a whole number.' in text
    assert 'id="id_cps_error"' in text
    assert "&quot;&gt;&lt;script&gt;" in text


def test_a_refusal_of_the_service_reaches_its_field_or_the_top_of_the_form():
    form = TrunkForm({"name": "A", "cps": "5"})
    assert form.is_valid()

    refuse(form, ValidationError({"cps": ["Too many."], "carrier": ["Gone."]}))

    assert form.errors["cps"] == ["Too many."]
    assert form.non_field_errors() == ["Gone."]


def test_a_stale_edit_is_told_apart():
    form = TrunkForm({"name": "A", "cps": "5"})
    assert form.is_valid()

    refuse(form, StaleEdit("Victor changed this at 13:05:00."))

    text = drawn("{% form form %}", form=form)
    assert "Somebody else changed this while you were editing" in text
    assert "Victor changed this at 13:05:00." in text
    assert 'value="A"' in text


@pytest.mark.parametrize(
    ("posted", "confirmed"),
    [({}, False), ({"confirmed": "1"}, False), ({"confirmed": "1", "typed": "carrier a"}, False),
     ({"confirmed": "1", "typed": " Carrier A "}, True), ({"typed": "Carrier A"}, False)],
)  # fmt: skip
def test_what_cannot_be_undone_asks_for_the_name(posted, confirmed):
    assert is_confirmed(RequestFactory().post("/", posted), Question("Delete?", type_name="Carrier A")) is confirmed


def test_changes_are_the_values_that_differ():
    lines = list(changes({"cps": 5, "name": "A", "old": 1}, {"cps": 8, "name": "A", "new": 2}))

    assert [(line.sign, line.text, line.before, line.after) for line in lines] == [
        ("~", "cps", 5, 8),
        ("-", "old", 1, None),
        ("+", "new", None, 2),
    ]


def test_a_ladder_points_at_who_received_and_tells_the_same_in_words():
    ladder = draw(["Teams", "SBC"], [Message(0, 1, "INVITE", "+0 ms"), Message(1, 0, "403", "+1 ms", "bad")])

    assert [arrow.x1 < arrow.x2 for arrow in ladder.arrows] == [True, False]
    assert ladder.words == ["+0 ms Teams → SBC: INVITE", "+1 ms SBC → Teams: 403"]


@pytest.mark.parametrize("answer", [errors.bad_request, errors.forbidden, errors.not_found])
def test_error_pages_name_the_request_and_a_way_on(rf, answer):
    request = rf.get("/")
    request.id, request.place, request.urlconf, request.user = "abc123", "customer", "portal.urls_customer", None

    text = answer(request).content.decode()

    assert "abc123" in text
    assert 'href="/"' in text
    assert text.count("<h1>") == 1


def refused(rf, address, came_from, *, known, method="get"):
    request = getattr(rf, method)(address, headers={"host": "acme.localhost", "referer": came_from})
    request.id, request.place, request.urlconf = "abc123", "customer", "portal.urls_customer"
    request.user, request.brand = SimpleNamespace(is_authenticated=known, name="Alice", email="a@acme.example"), None
    return errors.forbidden(request).content.decode()


def test_who_is_not_logged_in_gets_an_error_page_without_the_portal_around_it(rf):
    assert 'class="side' in refused(rf, "/numbers/", "", known=True)
    text = refused(rf, "/numbers/", "", known=False)
    assert 'class="side' not in text
    assert "Go to the log-in" in text


@pytest.mark.parametrize(
    ("method", "came_from", "back"),
    [
        ("get", "http://acme.localhost/numbers/?q=1", "/numbers/?q=1"),
        ("get", "http://acme.localhost/calls/", ""),
        ("post", "http://acme.localhost/calls/", "/calls/"),
        ("get", "http://elsewhere.example/numbers/", ""),
        ("get", "javascript:alert(1)", ""),
    ],
)
def test_an_error_page_leads_back_to_a_page_of_ours_that_is_not_the_failing_one(rf, method, came_from, back):
    text = refused(rf, "/calls/", came_from, known=True, method=method)

    assert ("Go back" in text) is bool(back)
    assert not back or f'href="{back}">Go back' in text


def test_an_unknown_host_learns_nothing(rf):
    request = rf.get("/")
    request.id = "abc123"

    text = errors.not_found(request).content.decode()

    assert "Strowger" not in text
    assert 'href="/"' not in text


def test_the_page_for_a_fault_of_ours_asks_the_database_nothing(rf):
    request = rf.get("/")
    request.id, request.place = "abc123", "customer"

    response = errors.server_error(request)

    assert response.status_code == 500
    assert "abc123" in response.content.decode()
