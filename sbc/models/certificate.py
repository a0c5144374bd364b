from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.core.fields import EncryptedTextField


class Certificate(models.Model):
    """A certificate that nodes of a region present, with its private key under lock."""

    region = models.ForeignKey("tenants.Region", models.PROTECT, related_name="certificates", verbose_name=_("Region"))
    subject = models.TextField(editable=False)
    issuer = models.TextField(editable=False)
    names = models.JSONField(default=list, editable=False)
    fingerprint = models.TextField(editable=False)
    not_before = models.DateTimeField(editable=False)
    not_after = models.DateTimeField(editable=False)
    chain = models.TextField(_("Certificate and chain (PEM)"))
    key = EncryptedTextField(_("Private key (PEM)"))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["region", "fingerprint"],
                name="sbc_certificate_once",
                violation_error_message=_("This certificate is already here."),
            )
        ]

    def __str__(self) -> str:
        return self.subject
