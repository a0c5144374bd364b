"""Taxes as data: what a country asks, from when to when, and where that is written."""

from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class TaxCategory(models.TextChoices):
    """The letters of UNTDID 5305 that EN 16931 allows and that we use."""

    STANDARD = "S", _("Standard rate")
    REVERSE_CHARGE = "AE", _("Reverse charge")
    EXEMPT = "E", _("Exempt")
    INTRA_COMMUNITY = "K", _("Supply of goods inside the EU")
    EXPORT = "G", _("Export of goods")
    OUTSIDE = "O", _("Outside the scope of VAT")


class TaxClass(models.TextChoices):
    """What is sold, as far as taxes tell it apart."""

    TELECOM = "telecom", _("Calls and lines")
    SERVICE = "service", _("Other services")
    GOODS = "goods", _("Goods")


class Tax(models.TextChoices):
    """The kinds of taxes that the table knows."""

    VAT = "vat", _("VAT")
    RESALE = "resale", _("VAT owed by resellers of telecommunications")
    SALES = "sales", _("Sales tax")
    TELECOM = "telecom", _("Telecommunications tax")
    USF = "usf", _("Universal service")
    FEE_911 = "911", _("911 fee")


class TaxRule(models.Model):
    """What is asked in a country, or a part of it, from a day on: the latest rule of its kind that has begun holds.

    Rules without an MSP are everybody's; an MSP's own take their place for its customers. None is ever changed: a new
    rate is a new row.
    """

    Tax = Tax

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, null=True, blank=True, related_name="+")
    country = models.TextField(_("country"), help_text=_("Two letters, for example DE."))
    area = models.TextField(_("state"), blank=True, help_text=_("Where taxes differ inside the country: NY."))
    county = models.TextField(_("county"), blank=True)
    city = models.TextField(_("city"), blank=True)
    tax = models.TextField(_("tax"), choices=Tax)
    tax_class = models.TextField(_("what is taxed"), choices=TaxClass, blank=True)
    name = models.TextField(_("name"), help_text=_("As the invoice prints it."))
    # Millionths: 19 % is 190,000.
    per_million = models.PositiveIntegerField(_("rate"), default=0)
    # The part of a line that is taxed: calls between states by the safe harbour are 64.9 % of all.
    share_per_million = models.PositiveIntegerField(_("taxed part"), default=1_000_000)
    fixed = models.BigIntegerField(_("for each number"), default=0)
    currency = models.TextField(_("currency"), blank=True)
    begins = models.DateField(_("from"))
    ends = models.DateField(_("until"), null=True, blank=True)
    source = models.TextField(_("source"), help_text=_("The law or notice that says so, so that anybody can check it."))

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="receivables_taxrule_country",
                condition=Q(country__regex=r"^[A-Z]{2}$"),
                violation_error_message=_("Use a country code of two letters, for example DE."),
            ),
            models.CheckConstraint(
                name="receivables_taxrule_span",
                condition=Q(ends__isnull=True) | Q(ends__gt=models.F("begins")),
                violation_error_message=_("The rule ends before it begins."),
            ),
            models.CheckConstraint(
                name="receivables_taxrule_part",
                condition=Q(share_per_million__lte=1_000_000),
                violation_error_message=_("The taxed part is at most the whole."),
            ),
            models.CheckConstraint(
                name="receivables_taxrule_fixed",
                condition=Q(fixed=0) | Q(fixed__gt=0, per_million=0, currency__regex=r"^[A-Z]{3}$"),
                violation_error_message=_("An amount for each number has a currency, and no rate beside it."),
            ),
            models.CheckConstraint(
                name="receivables_taxrule_has_source",
                condition=~Q(source=""),
                violation_error_message=_("Name the law or notice that says so."),
            ),
            models.UniqueConstraint(
                fields=["msp", "country", "area", "county", "city", "tax", "tax_class", "name", "begins"],
                name="receivables_taxrule_once",
                nulls_distinct=False,
                violation_error_message=_("There is such a rule from that day on."),
            ),
        ]

    def __str__(self) -> str:
        where = " ".join(filter(None, [self.country, self.area, self.county, self.city]))
        return f"{where} {self.name} {self.per_million / 10_000:g} %"


class TaxCheck(models.Model):
    """That somebody compared a rule of everybody's with its source: added and never changed, as the rule is."""

    class Outcome(models.TextChoices):
        RIGHT = "right", _("It is right")
        WRONG = "wrong", _("It is wrong")

    rule = models.ForeignKey(TaxRule, models.PROTECT, related_name="checks")
    outcome = models.TextField(_("what came out"), choices=Outcome, default=Outcome.RIGHT)
    checked_on = models.DateField(_("read on"))
    page = models.TextField(
        _("where it stands"), blank=True, validators=[MaxLengthValidator(500)],
        help_text=_("The address of the page that you read, with https://."),
    )  # fmt: skip
    note = models.TextField(_("note"), blank=True, validators=[MaxLengthValidator(500)])
    # Who answers for it: the operator's own to know.
    checked_by = models.TextField(editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="receivables_taxcheck_page",
                condition=Q(page="") | Q(page__regex=r"^https?://"),
                violation_error_message=_("Write the whole address, with https://."),
            ),
            models.CheckConstraint(
                name="receivables_taxcheck_wrong_has_note",
                condition=Q(outcome="right") | ~Q(note=""),
                violation_error_message=_("Say in the note what is wrong."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} {self.checked_on:%Y-%m-%d}"


class Exemption(models.Model):
    """Why a customer does not bear a tax, with the certificate that says so and the days for which it holds."""

    class Kind(models.TextChoices):
        EXEMPT = "exempt", _("Exempt")
        RESALE = "resale", _("Reseller of telecommunications")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, related_name="+")
    kind = models.TextField(_("kind"), choices=Kind, default=Kind.EXEMPT)
    tax = models.TextField(_("tax"), choices=Tax, blank=True, help_text=_("Blank is every tax."))
    area = models.TextField(_("state"), blank=True, help_text=_("Blank is everywhere."))
    ground = models.TextField(
        _("ground"), validators=[MaxLengthValidator(200)], help_text=_("The invoice prints it, for example the law.")
    )
    certificate = models.TextField(_("certificate"), blank=True, validators=[MaxLengthValidator(60)])
    begins = models.DateField(_("from"))
    ends = models.DateField(_("until"), null=True, blank=True, help_text=_("The first day on which it does not hold."))
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="receivables_exemption_span",
                condition=Q(ends__isnull=True) | Q(ends__gt=models.F("begins")),
                violation_error_message=_("It ends before it begins."),
            ),
            models.CheckConstraint(
                name="receivables_exemption_has_ground",
                condition=~Q(ground=""),
                violation_error_message=_("Say why no tax is due: the invoice has to print it."),
            ),
        ]

    def __str__(self) -> str:
        return self.ground


class VatIdCheck(models.Model):
    """An answer about a VAT id as it came, kept as evidence that somebody asked: added and never changed."""

    class State(models.TextChoices):
        VALID = "valid", _("Registered")
        WRONG = "wrong", _("Not registered")
        SHAPE = "shape", _("Right shape, no register asked")
        UNKNOWN = "unknown", _("The register did not answer")

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.ForeignKey("tenants.Customer", models.PROTECT, null=True, blank=True, related_name="+")
    vat_id = models.TextField()
    state = models.TextField(choices=State)
    # Who was asked, and the number under which the register remembers the question.
    register = models.TextField(blank=True)
    request_id = models.TextField(blank=True)
    name = models.TextField(blank=True)
    address = models.TextField(blank=True)
    words = models.TextField(blank=True)
    asked_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["msp", "vat_id", "-asked_at"], name="receivables_vatidcheck_newest")]

    def __str__(self) -> str:
        return f"{self.vat_id}: {self.get_state_display()}"

    @property
    def proof(self) -> str:
        """Return who answered, under which number, and whose the id is."""
        return " · ".join(filter(None, (self.register, self.request_id, self.name)))
