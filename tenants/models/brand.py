"""How an MSP looks to its customers."""

from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from tenants.models.platform import Msp

DEFAULT_ACCENT = "#1f5f8b"


class Brand(models.Model):
    """An MSP's name, logo, colour and support contact, as its customers see them on pages and in mails."""

    msp = models.OneToOneField(Msp, models.PROTECT, related_name="brand")
    name = models.TextField(_("brand name"), validators=[MaxLengthValidator(60)])
    logo = models.BinaryField(_("logo"), null=True, blank=True, editable=False)
    logo_width = models.PositiveSmallIntegerField(default=0, editable=False)
    logo_height = models.PositiveSmallIntegerField(default=0, editable=False)
    accent = models.TextField(_("accent colour"), default=DEFAULT_ACCENT)
    support_email = models.EmailField(_("support e-mail"), blank=True)
    support_phone = models.TextField(_("support phone"), blank=True, validators=[MaxLengthValidator(40)])
    support_url = models.URLField(_("support page"), blank=True)
    row_version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="tenants_brand_accent_shape",
                condition=models.Q(accent__regex=r"^#[0-9a-f]{6}$"),
                violation_error_message=_("Write the colour like #1f5f8b."),
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def has_logo(self) -> bool:
        return self.logo_width > 0
