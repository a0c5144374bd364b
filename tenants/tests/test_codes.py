"""Countries and currencies are chosen by name and stored as codes."""

from django import forms

from portal.ui.forms import control, groups
from tenants.forms.codes import CountrySelect, CurrencySelect


class Company(forms.Form):
    groups = [("Where", ["country", "currency"]), ("Nothing here", ["gone"])]
    country = forms.CharField(widget=CountrySelect)
    currency = forms.CharField(widget=CurrencySelect, required=False)
    kind = forms.ChoiceField(choices=[("", "---------"), ("a", "A")])


def test_a_list_names_what_it_stores_and_keeps_a_code_that_is_offered_no_more():
    form = Company(initial={"country": "DE", "currency": "DEM"})
    country, currency = str(form["country"]), str(form["currency"])

    assert '<option value="DE" selected>Germany</option>' in country
    assert '<option value="">Choose a country</option>' in country
    assert '<option value="USD">USD – US Dollar</option>' in currency
    assert '<option value="DEM" selected>DEM</option>' in currency
    assert country.count("selected") == currency.count("selected") == 1


def test_a_group_without_fields_is_not_drawn_and_an_empty_choice_says_what_it_is():
    form = Company()

    assert [group.heading for group in groups(form)] == ["", "Where"]
    assert "Choose…</option>" in control(form["kind"]) and "---" not in control(form["kind"])
