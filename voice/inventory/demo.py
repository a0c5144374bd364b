"""The demo's number stock, in ranges that regulators keep free for films and examples."""

from typing import Any

from portal.core.audit import Actor
from voice.inventory import imports
from voice.inventory.models import StockImport, StockNumber

RANGES = {
    "northwind": ("DE", "+493023125000 x200\n+12065550100 x50"),
    "fabrikam": ("GB", "+442079460500 x100"),
}


def seed(cast: Any) -> None:
    """Fill each demo MSP's stock, once."""
    by = Actor.system("demo")
    for slug, (country, ranges) in RANGES.items():
        msp = cast.msp(slug)
        with cast.as_msp(msp):
            if StockNumber.objects.filter(msp=msp).exists():
                continue
            draft = StockImport(
                msp=msp,
                name="First numbers",
                content=ranges.encode(),
                default_country=country,
                carrier=imports.Carrier.objects.filter(msp=msp).order_by("pk").first(),
                created_by=by.email,
            )
            draft.save()
            imports.check_import(draft, _quietly)
            imports.store_import(draft, _quietly, by=by)


def _quietly(done: int, total: int | None = None, message: str = "") -> None:
    """Report progress to nobody."""
