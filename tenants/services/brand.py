"""An MSP's brand: what its customers see instead of us."""

from django.db import transaction

from portal.core import audit
from portal.core.audit import Actor
from portal.core.errors import StaleEdit
from tenants import png
from tenants.models import Brand

FACTS = ("name", "accent", "support_email", "support_phone", "support_url", "logo_width", "logo_height")


@transaction.atomic
def save_brand(brand: Brand, *, by: Actor, logo: bytes | None = None, remove_logo: bool = False) -> Brand:
    """Store a brand, with a new logo if one is given; mails and pages show it at once.

    Raises ValidationError, and StaleEdit where somebody else saved in between.
    """
    stored = Brand.objects.select_for_update(no_key=True, of=("self",)).get(pk=brand.pk)
    if stored.row_version != brand.row_version:
        raise StaleEdit(stored)
    brand.accent = brand.accent.lower()
    if logo is not None:
        picture = png.clean(logo)
        brand.logo, brand.logo_width, brand.logo_height = picture.data, picture.width, picture.height
    elif remove_logo:
        brand.logo, brand.logo_width, brand.logo_height = None, 0, 0
    brand.full_clean()
    brand.row_version += 1
    brand.save()
    audit.record(by, "brand.saved", brand, before=_facts(stored), after=_facts(brand), msp_id=brand.msp_id)
    return brand


def _facts(brand: Brand) -> dict[str, object]:
    return {name: getattr(brand, name) for name in FACTS}
