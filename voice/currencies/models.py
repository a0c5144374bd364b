"""Published exchange rates, with their day and source: evidence, added and never changed."""

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from voice.rating import money

CURRENCY = r"^[A-Z]{3}$"


class ExchangeRate(models.Model):
    """One unit of `base` was `nanos` ÷ 10⁹ units of `quote` on a day, as its source published it.

    Each MSP has rates of its own: it chooses whom it believes. A later entry for the same day takes the place of an
    earlier one for what is converted from then on; invoices keep the rate that they were written with.
    """

    class Kind(models.TextChoices):
        ECB = "ecb", _("European Central Bank")
        MANUAL = "manual", _("Entered by hand")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    base = models.TextField(_("one unit of"))
    quote = models.TextField(_("is so many units of"))
    nanos = models.BigIntegerField(_("rate"))
    day = models.DateField(_("day"))
    kind = models.TextField(_("source"), choices=Kind, default=Kind.MANUAL)
    source = models.TextField(_("where it is published"))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["msp", "-day", "base", "quote"], name="currencies_rate_of_day")]
        constraints = [
            models.CheckConstraint(
                name="currencies_rate_is_positive",
                condition=Q(nanos__gt=0),
                violation_error_message=_("A rate is more than nothing."),
            ),
            models.CheckConstraint(
                name="currencies_rate_of_two",
                condition=Q(base__regex=CURRENCY, quote__regex=CURRENCY) & ~Q(base=F("quote")),
                violation_error_message=_("Use the codes of two currencies, for example EUR and USD."),
            ),
            models.CheckConstraint(
                name="currencies_rate_has_source",
                condition=~Q(source=""),
                violation_error_message=_("Say where the rate is published, so that anybody can find it again."),
            ),
            models.UniqueConstraint(
                fields=["msp", "base", "quote", "day"],
                condition=Q(kind="ecb"),
                name="currencies_rate_imported_once",
            ),
        ]

    def __str__(self) -> str:
        return f"1 {self.base} = {self.nanos / 10**9:g} {self.quote}"

    def as_published(self) -> money.ExchangeRate:
        """Return the rate as amounts are converted with."""
        return money.ExchangeRate(self.base, self.quote, self.nanos, self.day)
