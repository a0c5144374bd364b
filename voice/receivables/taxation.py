"""How one customer is taxed: its billing profile, its exemptions and the tax table, put to the rules of `tax`."""

from dataclasses import dataclass, field
from datetime import date

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from voice import languages
from voice.receivables import selectors, tax
from voice.receivables.models import BillingProfile, Exemption, LegalEntity, TaxClass, VatRegistration


@dataclass(slots=True)
class Treatments:
    """How each tax class that a document bills is taxed: worked out when the first line of it asks.

    `numbers` is how many telephone numbers it bills; fees for each stand on what is telecommunications.
    """

    profile: BillingProfile
    at: date
    numbers: int = 0
    _found: dict[str, tax.Treatment] = field(default_factory=dict)

    def __call__(self, tax_class: str) -> tax.Treatment:
        """Return the treatment; raises ValidationError with what is missing for it."""
        if tax_class not in self._found:
            lines = self.numbers if tax_class == tax.TaxClass.TELECOM else 0
            self._found[tax_class] = treatment_of(self.profile, tax_class, self.at, lines=lines)
        return self._found[tax_class]

    @property
    def vat_id(self) -> str:
        """Return the number in another country under which the document is sold; blank is the company's own.

        Raises ValidationError where its lines are taxed in two countries: an invoice has one number of its seller.
        """
        found = {each.vat_id: name for name, each in self._found.items()}
        if len(found) > 1:
            raise ValidationError(
                _(
                    "What is sold to %(customer)s is taxed in two countries: %(classes)s. Bill them by separate"
                    " invoices, or say at the plan's components that they are calls and lines where they are."
                )
                % {"customer": self.profile, "classes": ", ".join(sorted(map(self._where, found.items())))}
            )
        return next(iter(found), "")

    def _where(self, told: tuple[str, str]) -> str:
        number, tax_class = told
        return f"{TaxClass(tax_class).label} ({number[:2] or self.profile.entity.country})"


def treatment_of(profile: BillingProfile, tax_class: str, at: date, *, lines: int = 0) -> tax.Treatment:
    """Return how what is sold to a customer is taxed on a day; raises ValidationError with what is missing.

    `at` is the last day of the period that the document bills: a change of rate inside it counts for the whole (§9 of
    docs/pricing.md). `lines` is how many telephone numbers it bills, for fees that are asked for each.
    """
    seller, buyer = place_of(profile.entity), place_of_buyer(profile)
    rules = selectors.tax_rules(seller.country, buyer.country)
    try:
        return tax.treatment(
            seller, buyer, at, rules, tax_class=tax.TaxClass(tax_class), engine=engine(rules, profile), lines=lines
        )
    except tax.NotRegistered as error:
        raise ValidationError(
            _("%(why)s Once %(company)s is registered, enter the number at the company.")
            % {"why": error, "company": profile.entity}
        )
    except tax.NoTaxRule as error:
        raise ValidationError(_("%(why)s Add it to the tax table.") % {"why": error})
    except tax.VatIdMissing:
        raise ValidationError(
            _("%(customer)s owes the tax itself: enter its VAT id, the invoice has to show it (reverse charge).")
            % {"customer": profile}
        )


def engine(rules: list[tax.Rule], profile: BillingProfile) -> tax.TaxEngine:
    """Return what knows the taxes of the United States: the table, or the service that the settings name."""
    path = getattr(settings, "TAX_ENGINE", "")
    if not path:
        return tax.TableTaxes(rules, profile.currency)
    made: tax.TaxEngine = import_string(path)()
    return made


def place_of(entity: LegalEntity) -> tax.Place:
    """Return what matters of a company for its invoices' taxes."""
    registrations = tuple(
        tax.Registration(each.country, each.vat_id, each.begins, each.ends, each.is_established)
        for each in VatRegistration.objects.filter(entity=entity).order_by("pk")
    )
    return tax.Place(
        entity.country, entity.area, vat_id=entity.vat_id, is_in_oss=entity.is_in_oss, registrations=registrations
    )


def place_of_buyer(profile: BillingProfile) -> tax.Place:
    """Return what matters of a customer for its taxes."""
    exemptions = tuple(
        tax.Exemption(each.ground, each.tax, each.area, each.kind == Exemption.Kind.RESALE, each.begins, each.ends)
        for each in Exemption.objects.filter(tenant_id=profile.tenant_id).order_by("pk")
    )
    return tax.Place(
        profile.country, profile.area, profile.county, profile.city, profile.postcode, vat_id=profile.vat_id,
        is_business=profile.is_business, exemptions=exemptions,
        language=languages.language_of(profile.language, profile.country),
    )  # fmt: skip
