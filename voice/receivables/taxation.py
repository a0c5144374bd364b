"""How one customer is taxed: its billing profile and the tax table, put to the rules of `tax`."""

from datetime import date

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from voice.receivables import selectors, tax
from voice.receivables.models import BillingProfile


def treatment_of(profile: BillingProfile, tax_class: str, at: date) -> tax.Treatment:
    """Return how what is sold to a customer is taxed on a day; raises ValidationError with what is missing.

    `at` is the last day of the period that the document bills: a change of rate inside it counts for the whole (§9 of
    docs/pricing.md).
    """
    seller = tax.Place(profile.entity.country, vat_id=profile.entity.vat_id)
    buyer = tax.Place(profile.country, vat_id=profile.vat_id, is_exempt=profile.is_exempt, exemption=profile.exemption)
    try:
        return tax.treatment(seller, buyer, at, selectors.tax_rates(), tax_class=tax.TaxClass(tax_class))
    except tax.NoTaxRule as error:
        raise ValidationError(_("%(why)s Ask the operator to add it.") % {"why": error})
    except tax.VatIdMissing:
        raise ValidationError(
            _("%(customer)s is in another EU country: enter its VAT id, the invoice has to show it (reverse charge).")
            % {"customer": profile}
        )
