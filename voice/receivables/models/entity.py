"""Who sends an invoice, who gets it, and the numbers that invoices have."""

from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from voice.languages import LANGUAGES
from voice.receivables.numbering import check_pattern

SHORT, LONG = [MaxLengthValidator(60)], [MaxLengthValidator(200)]
COUNTRY = r"^[A-Z]{2}$"
CURRENCY = r"^[A-Z]{3}$"


class DocumentKind(models.TextChoices):
    INVOICE = "invoice", _("Invoice")
    CREDIT_NOTE = "credit_note", _("Credit note")


class Party(models.Model):
    """A name and an address as an invoice prints them."""

    name = models.TextField(_("name"), validators=LONG)
    street = models.TextField(_("street"), blank=True, validators=LONG)
    postcode = models.TextField(_("postcode"), blank=True, validators=SHORT)
    city = models.TextField(_("city"), blank=True, validators=LONG)
    country = models.TextField(_("country"), help_text=_("Two letters, for example DE."))
    vat_id = models.TextField(
        _("VAT id"), blank=True, validators=SHORT, help_text=_("With its country, as DE136695976.")
    )
    email = models.EmailField(_("e-mail"), blank=True)

    class Meta:
        abstract = True


class LegalEntity(Party):
    """A company of the MSP that sends invoices: each has books and number series of its own."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="legal_entities")
    phone = models.TextField(_("phone"), blank=True, validators=SHORT)
    registration = models.TextField(
        _("company registration"), blank=True, validators=LONG, help_text=_("For example HRB 12345 B.")
    )
    tax_number = models.TextField(
        _("tax number"), blank=True, validators=SHORT, help_text=_("The tax office's, if any.")
    )
    bank = models.TextField(_("bank"), blank=True, validators=LONG)
    iban = models.TextField(_("IBAN"), blank=True, validators=SHORT)
    bic = models.TextField(_("BIC"), blank=True, validators=SHORT)
    invoice_pattern = models.TextField(
        _("invoice numbers"),
        default="{year}-{number:05}",
        help_text=_("{number} counts without a gap; with {year} in it, it begins at 1 each year."),
    )
    credit_note_pattern = models.TextField(_("credit note numbers"), default="CN-{year}-{number:05}")
    area = models.TextField(_("state"), blank=True, validators=SHORT, help_text=_("In the US, for example NY."))
    is_in_oss = models.BooleanField(
        _("declares in the one-stop shop"),
        default=False,
        help_text=_("Consumers in other EU countries then pay the VAT of their own country."),
    )
    first_bill_limit = models.BigIntegerField(
        _("look at first bills above"),
        default=1_000_000_000,
        help_text=_(
            "Net, in the bill's currency. A customer's first bill, or one after a month of 0.00, has nothing to be"
            " compared with: above this somebody has to look at it before it goes out. 0 is each of them."
        ),
    )
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="receivables_entity_first_bill",
                condition=Q(first_bill_limit__gte=0),
                violation_error_message=_("A bill is looked at from 0 on."),
            ),
            models.UniqueConstraint(
                fields=["msp", "name"],
                name="receivables_entity_name_once",
                violation_error_message=_("You have a company of this name already."),
            ),
            models.CheckConstraint(
                name="receivables_entity_country",
                condition=Q(country__regex=COUNTRY),
                violation_error_message=_("Use a country code of two letters, for example DE."),
            ),
            models.CheckConstraint(
                name="receivables_entity_two_patterns",
                condition=~Q(invoice_pattern=models.F("credit_note_pattern")),
                violation_error_message=_("Invoices and credit notes need patterns that differ."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Refuse patterns that would give two documents the same number."""
        for name in ("invoice_pattern", "credit_note_pattern"):
            try:
                check_pattern(getattr(self, name))
            except ValidationError as error:
                raise ValidationError({name: error})

    def pattern(self, kind: str) -> str:
        """Return the pattern of the numbers of one kind of document."""
        return self.invoice_pattern if kind == DocumentKind.INVOICE else self.credit_note_pattern


class VatRegistration(models.Model):
    """That a company is registered for VAT in another country, whose VAT it then charges to customers there."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    entity = models.ForeignKey(LegalEntity, models.PROTECT, related_name="registrations")
    country = models.TextField(_("country"), help_text=_("Two letters, for example GB."))
    vat_id = models.TextField(
        _("VAT id there"), validators=SHORT, help_text=_("With its country, as GB999999973 or CHE999999996MWST.")
    )
    is_established = models.BooleanField(
        _("has an establishment there"),
        default=False,
        help_text=_(
            "It then charges businesses, too. Without one it charges consumers alone, except in Switzerland and "
            "Norway, where who is registered charges everybody."
        ),
    )
    begins = models.DateField(_("from"))
    ends = models.DateField(_("until"), null=True, blank=True, help_text=_("The first day on which it does not hold."))
    row_version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="receivables_registration_country",
                condition=Q(country__regex=COUNTRY),
                violation_error_message=_("Use a country code of two letters, for example GB."),
            ),
            models.CheckConstraint(
                name="receivables_registration_span",
                condition=Q(ends__isnull=True) | Q(ends__gt=models.F("begins")),
                violation_error_message=_("It ends before it begins."),
            ),
            models.CheckConstraint(
                name="receivables_registration_has_id",
                condition=~Q(vat_id=""),
                violation_error_message=_("Enter the VAT id: the invoice has to show it."),
            ),
            models.UniqueConstraint(
                fields=["entity", "country"],
                condition=Q(ends__isnull=True),
                name="receivables_registration_one_open",
                violation_error_message=_("The company is registered there already: end that registration first."),
            ),
        ]

    def __str__(self) -> str:
        return self.vat_id


class BillingProfile(Party):
    """How one customer is billed: by which company, to which address, in which currency, due when."""

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    tenant = models.OneToOneField("tenants.Customer", models.PROTECT, related_name="billing_profile")
    entity = models.ForeignKey(LegalEntity, models.PROTECT, related_name="profiles", verbose_name=_("billed by"))
    currency = models.TextField(_("currency"), default="EUR")
    due_days = models.PositiveSmallIntegerField(_("days to pay"), default=14)
    buyer_reference = models.TextField(
        _("the customer's reference"),
        blank=True,
        validators=SHORT,
        help_text=_("What the customer wants to read on each invoice, such as a routing id."),
    )
    area = models.TextField(_("state"), blank=True, validators=SHORT, help_text=_("In the US, for example NY."))
    county = models.TextField(_("county"), blank=True, validators=SHORT)
    is_business = models.BooleanField(
        _("a business"),
        default=True,
        help_text=_("A consumer is taxed where it lives, a business owes the tax itself."),
    )
    language = models.TextField(
        _("language"),
        blank=True,
        choices=list(LANGUAGES.items()),
        help_text=_("Of invoices and mails; blank is the language of the country."),
    )
    # Taken from the newest answer about the id; the answers themselves are kept, as evidence.
    vat_id_state = models.TextField(default="unchecked", editable=False)
    vat_id_checked_at = models.DateTimeField(null=True, blank=True, editable=False)
    row_version = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="receivables_profile_country",
                condition=Q(country__regex=COUNTRY),
                violation_error_message=_("Use a country code of two letters, for example DE."),
            ),
            models.CheckConstraint(
                name="receivables_profile_currency",
                condition=Q(currency__regex=CURRENCY),
                violation_error_message=_("Use a currency code of three letters, for example EUR."),
            ),
        ]

    def __str__(self) -> str:
        return self.name


class NumberSeries(models.Model):
    """The last number that one company gave in one series; `period` is the year, or 0 where numbers go on for ever.

    The database lets it grow by one at a time, and only beside the document that has the number.
    """

    msp = models.ForeignKey("tenants.Msp", models.PROTECT, related_name="+")
    entity = models.ForeignKey(LegalEntity, models.PROTECT, related_name="series")
    kind = models.TextField(choices=DocumentKind)
    period = models.PositiveSmallIntegerField()
    last = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["entity", "kind", "period"], name="receivables_series_once"),
        ]

    def __str__(self) -> str:
        return f"{self.entity} {self.kind} {self.period}: {self.last}"
