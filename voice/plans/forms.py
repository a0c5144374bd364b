"""Forms of plans and of what they are made of: a kind shows only the fields that matter to it."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tenants.forms.codes import CurrencySelect
from tenants.zones import zone_choices
from voice.plans.models import Component, Plan, PlanVersion
from voice.plans.tiers import Tier
from voice.rating.models import DeckRate, RateDeck
from voice.rating.money import MICROS, UnreadableAmount, decimals, read_micros

DAY = forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
MOST_TIERS = 20
FIELDS: dict[str, list[str]] = {
    "monthly": ["name", "amount", "per", "optional", "tax_class"],
    "once": ["name", "amount", "per", "optional", "tax_class"],
    "emergency": ["name", "amount", "per", "tax_class"],
    "call": ["name", "amount", "destinations"],
    "minutes": ["name", "minutes", "pool", "roll_over", "destinations", "optional"],
    "tiers": ["name", "tiers", "destinations"],
    "commitment": ["name", "amount", "scope"],
    "discount": ["name", "per_million", "scope", "months"],
}
LEADS = {
    "monthly": _("Asked for every month, for a part of one by its days: once, or for each user, number or trunk."),
    "once": _("Asked once: when a contract starts, for each new number, or for each that is ordered (porting, say)."),
    "emergency": _("A monthly charge that you pass on. No trial and no discount spares it."),
    "call": _("Asked for each answered outgoing call, beside its price per minute."),
    "minutes": _("Outgoing minutes that cost nothing more. For some destinations only, they are a bundle."),
    "tiers": _("A price per minute that falls with the minutes of the month, in place of the deck's."),
    "commitment": _("What a month comes to at least: the bill adds what is missing."),
    "discount": _("A share off what the bill comes to, for as long as you say."),
}


def written(micros: int | None, currency: str) -> str:
    """Return an amount as the fields take it: digits with a point, as many places as the coin has, or as it needs."""
    if micros is None:
        return ""
    whole, places = f"{micros // MICROS}.{micros % MICROS:06d}", decimals(currency)
    point = whole.index(".") + 1
    return (whole[: point + places] + whole[point + places :].rstrip("0")).rstrip(".")


class MicrosField(forms.CharField):
    """An amount of money as digits with one decimal point, in micros afterwards."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.TextInput(attrs={"inputmode": "decimal"}), max_length=20, **kwargs)

    def clean(self, value: Any) -> Any:
        """Return micros, or None where nothing was written."""
        text = super().clean(value)
        if not text:
            return None
        try:
            micros = read_micros(text.strip())
        except UnreadableAmount:
            raise ValidationError(_now("Write an amount with a point, such as 12.50."))
        if micros < 0:
            raise ValidationError(_now("An amount is not below zero."))
        return micros


class Copied(forms.ModelForm):
    """A form whose service checks the whole row; here what was typed is copied to it."""

    row_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row_version"].initial = getattr(self.instance, "row_version", 0)

    def _post_clean(self) -> None:
        for name, value in self.cleaned_data.items():
            if name in self.Meta.fields or (name == "row_version" and value is not None):
                setattr(self.instance, name, value)


class PlanForm(Copied):
    """What a plan is called, and in what it counts."""

    class Meta:
        model = Plan
        fields = ["name", "currency", "zone", "note"]
        widgets = {"name": forms.TextInput, "currency": CurrencySelect, "note": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["zone"].widget = forms.Select(choices=zone_choices())
        self.fields["note"].help_text = _("Only your team reads it.")

    def clean_currency(self) -> str:
        return str(self.cleaned_data["currency"]).upper()


class VersionForm(Copied):
    """From when a version may be sold, and by which deck its calls are priced."""

    class Meta:
        model = PlanVersion
        fields = ["deck", "effective_from", "note"]
        widgets = {"effective_from": DAY, "note": forms.Textarea(attrs={"rows": 2})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        found = RateDeck.objects.filter(msp=self.instance.msp_id, kind=RateDeck.Kind.SELL, closed_at=None)
        self.fields["deck"].queryset = found.filter(currency=self.instance.plan.currency).order_by("name")
        self.fields["deck"].empty_label = _("Leave the customer's deck as it is")


class ComponentForm(forms.ModelForm):
    """One component, with the fields of its kind."""

    amount = MicrosField(label=_("Amount"))
    destinations = forms.CharField(
        label=_("Destinations"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("As the deck calls them, one a line. Empty: all destinations."),
    )
    tiers = forms.CharField(
        label=_("Tiers"),
        widget=forms.Textarea(attrs={"rows": 4, "placeholder": "1000 0.0200\n5000 0.0150\nmore 0.0100"}),
        help_text=_("One a line: minutes of the month up to, and the price per minute. The last begins with “more”."),
    )
    per_million = forms.DecimalField(
        label=_("Percent"), min_value=0, max_value=100, max_digits=7, decimal_places=4, help_text=_("Such as 12.5.")
    )

    class Meta:
        model = Component
        fields = [
            "name", "amount", "per", "minutes", "pool", "roll_over", "destinations", "per_million", "scope",
            "months", "optional", "tax_class",
        ]  # fmt: skip
        widgets = {"name": forms.TextInput}
        help_texts = {"name": _("Printed on the bill.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        instance: Component = kwargs["instance"]
        currency = instance.version.plan.currency
        kwargs["initial"] = {
            "amount": written(instance.amount, currency) if instance.pk else "",
            "destinations": "\n".join(instance.destinations),
            "per_million": f"{instance.per_million / 10_000:g}" if instance.pk else "",
            "tiers": tiers_written(instance, currency) if instance.pk else "",
        }
        super().__init__(*args, **kwargs)
        kept = FIELDS[instance.kind]
        for name in [name for name in self.fields if name not in kept]:
            del self.fields[name]
        self.order_fields(kept)
        self._word(instance, currency)

    def _word(self, instance: Component, currency: str) -> None:
        if "amount" in self.fields:
            self.fields["amount"].widget.attrs["data-unit"] = currency
        if instance.kind == "once":
            self.fields["per"].choices = [("contract", _("contract")), ("number", _("new phone number"))]
            self.fields["per"].help_text = _("An add-on is asked for each that is ordered.")
        if instance.kind == "emergency":
            self.fields["per"].choices = [each for each in Component.Per.choices if each[0] != "contract"]
        if "months" in self.fields:
            self.fields["months"].help_text = _("Counted from the month in which the contract starts. Empty: always.")
        if "destinations" in self.fields and instance.version.deck_id:
            names = DeckRate.objects.filter(deck=instance.version.deck_id, ends=None).exclude(destination="")
            shown = list(names.order_by("destination").values_list("destination", flat=True).distinct()[:8])
            self.fields["destinations"].help_text = _now(
                "As the deck %(deck)s calls them, one a line, such as: %(names)s. Empty: all destinations."
            ) % {"deck": instance.version.deck, "names": "; ".join(shown)}

    def clean_destinations(self) -> list[str]:
        found = dict.fromkeys(line.strip() for line in self.cleaned_data["destinations"].splitlines())
        return [name for name in found if name]

    def clean_per_million(self) -> int:
        return int(self.cleaned_data["per_million"] * 10_000)

    def clean_tiers(self) -> Sequence[Tier]:
        return read_tiers(self.cleaned_data["tiers"])

    @property
    def read(self) -> Sequence[Tier]:
        """Return the tiers that were written."""
        found: Sequence[Tier] = self.cleaned_data.get("tiers", ())
        return found

    def _post_clean(self) -> None:
        for name, value in self.cleaned_data.items():
            if name in self.Meta.fields:
                setattr(self.instance, name, value)


def tiers_written(component: Component, currency: str) -> str:
    """Return a component's tiers as the field takes them."""
    tiers = sorted(component.tiers.all(), key=lambda tier: (tier.up_to is None, tier.up_to or 0))
    return "\n".join(f"{tier.up_to or 'more'} {written(tier.per_minute, currency)}" for tier in tiers)


def read_tiers(text: str) -> list[Tier]:
    """Return tiers as they were written, one a line; raises ValidationError."""
    found = []
    lines = [line for line in text.splitlines() if line.strip()]
    for number, line in enumerate(lines[: MOST_TIERS + 1], 1):
        limit, _space, price = line.strip().partition(" ")
        try:
            micros = read_micros(price.strip())
            up_to = None if limit.lower() == "more" else int(limit)
        except (UnreadableAmount, ValueError):
            micros, up_to = -1, -1
        if micros < 0 or (up_to is not None and not 0 < up_to < 10**9) or number > MOST_TIERS:
            words = _now("Line %(line)d: write minutes and a price, such as “1000 0.0200”, or “more 0.0100”.")
            raise ValidationError(words % {"line": number})
        found.append(Tier(up_to, micros))
    return found
