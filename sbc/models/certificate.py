from django.db import models
from django.utils.translation import gettext_lazy as _

from portal.core.fields import EncryptedTextField


class CertificateQuerySet(models.QuerySet["Certificate"]):
    def without_key(self) -> "CertificateQuerySet":
        return self.select_related("region", "node").defer("key", "chain")


class Certificate(models.Model):
    """A certificate that the nodes of a region, or one of them, present, with its private key under lock."""

    region = models.ForeignKey("tenants.Region", models.PROTECT, related_name="certificates", verbose_name=_("Region"))
    node = models.ForeignKey(
        "sbc.Node", models.CASCADE, null=True, blank=True, related_name="certificates", verbose_name=_("Node"),
        help_text=_("For all nodes of the region if empty."),
    )  # fmt: skip
    subject = models.TextField(editable=False)
    issuer = models.TextField(editable=False)
    names = models.JSONField(default=list, editable=False)
    fingerprint = models.TextField(editable=False)
    not_before = models.DateTimeField(editable=False)
    not_after = models.DateTimeField(editable=False)
    chain = models.TextField(_("Certificate and chain (PEM)"))
    key = EncryptedTextField(_("Private key (PEM)"))
    created_at = models.DateTimeField(auto_now_add=True)

    objects = CertificateQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["region", "node", "fingerprint"],
                nulls_distinct=False,
                name="sbc_certificate_once",
                violation_error_message=_("This certificate is already here."),
            )
        ]

    def __str__(self) -> str:
        return self.subject


class NodeCertificate(models.Model):
    """What one node says it presents, and what it was sent last."""

    node = models.OneToOneField("sbc.Node", models.CASCADE, related_name="certificate")
    # HAProxy takes calls with it, at once; Kamailio dials Microsoft with the one that it had when it started.
    served = models.TextField(blank=True)
    served_until = models.DateTimeField(null=True)
    served_since = models.DateTimeField(null=True)
    dialled = models.TextField(blank=True)
    # The certificate that is on its way, or was the last to be, and the nonce that its answer must bear.
    sent = models.TextField(blank=True)
    sent_at = models.DateTimeField(null=True)
    nonce = models.TextField(blank=True)
    error = models.TextField(blank=True)
    # A person wants Kamailio to start anew for the certificate that is served.
    restart = models.BooleanField(default=False)

    @property
    def waits_for_restart(self) -> bool:
        return bool(self.served) and self.served != self.dialled
