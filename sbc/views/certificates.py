"""Certificates: which there are, for which names, until when."""

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters

from portal.ui.confirm import Question, confirm_page, is_confirmed, refusal
from portal.ui.forms import refuse
from portal.ui.lists import Action, Column, Empty, ListPage
from portal.ui.status import Status, status
from sbc.forms import CertificateForm
from sbc.models import Certificate, Node
from sbc.selectors.home import CERTIFICATE_WARNS
from sbc.services import certificates
from tenants.permissions import requires


def chip(certificate: Certificate) -> Status:
    """Return the chip that says whether the certificate is good for long."""
    left = certificate.not_after - now()
    if left.total_seconds() <= 0:
        return status("attention", word=_("Ended"))
    if left < CERTIFICATE_WARNS:
        return status("attention", word=_("Ends in %(days)d days") % {"days": left.days})
    return status("active", word=_("Good"))


def _url(certificate: Certificate) -> str:
    return reverse("certificates:detail", args=[certificate.pk])


class CertificateList(ListPage):
    title = gettext_lazy("Certificates")
    lead = gettext_lazy("What nodes show to Microsoft. Each node gets the newest one that is for it, within seconds.")
    search_fields = ["subject", "issuer", "region__name", "node__name"]
    default_sort = "not_after"
    export_name = "certificates"
    add = Action(gettext_lazy("Add certificate"), "certificates:new", "plus", "nodes.change")
    actions = [add]
    columns = [
        Column("state", gettext_lazy("State"), kind="status", value=chip),
        Column("subject", gettext_lazy("Name"), sort=True, link=_url),
        Column("names", gettext_lazy("Good for"), value=lambda row: ", ".join(row.names)),
        Column("region__name", gettext_lazy("For"), value=lambda row: str(row.node or row.region)),
        Column("issuer", gettext_lazy("Issued by"), card=False),
        Column("not_after", gettext_lazy("Until"), kind="when", sort=True),
    ]
    empty = Empty(
        gettext_lazy("No certificates yet."),
        gettext_lazy("For example *.sbc.provider.example with sbc.provider.example."),
        add,
        icon="certificate",
    )

    def queryset(self) -> QuerySet[Certificate]:
        return Certificate.objects.without_key()


@requires("nodes.view")
def certificate_list(request: HttpRequest) -> HttpResponse:
    return CertificateList(request).response()


@requires("nodes.view")
def certificate_detail(request: HttpRequest, pk: int) -> HttpResponse:
    certificate = _certificate(pk)
    nodes = Node.objects.enabled().filter(region=certificate.region_id).select_related("certificate").order_by("name")
    wanted = {node.pk: certificates.wanted_certificate(node, at=now()) for node in nodes}
    context = {
        "certificate": certificate,
        "status": chip(certificate),
        "lacking": certificates.lacking(certificate),
        "nodes": [node for node in nodes if wanted[node.pk] == certificate or _serves(node, certificate)],
        "can_change": request.can("nodes.change"),  # type: ignore[attr-defined]
    }
    return TemplateResponse(request, "sbc/certificate_detail.html", context)


@sensitive_post_parameters("key")
@requires("nodes.change")
def certificate_new(request: HttpRequest) -> HttpResponse:
    form = CertificateForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            certificate = certificates.add_certificate(form.instance, now=now(), by=request.actor)  # type: ignore[attr-defined]
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("The certificate is stored. Nodes get it within seconds."))
            return redirect("certificates:detail", pk=certificate.pk)
    return TemplateResponse(request, "sbc/certificate_form.html", {"form": form})


@requires("nodes.change")
def certificate_remove(request: HttpRequest, pk: int) -> HttpResponse:
    certificate = _certificate(pk)
    cancel = reverse("certificates:detail", args=[pk])
    question = Question(
        _("Remove the certificate %s?") % certificate,
        [
            _("Its key is erased here. A node that shows it goes back to the newest other one that is for it."),
            _("Where there is none, it goes on with this one."),
        ],
        _("Remove"),
        type_name=certificate.subject,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=cancel, error=refusal(request, question))
    certificates.remove_certificate(certificate, by=request.actor)  # type: ignore[attr-defined]
    messages.success(request, _("The certificate is gone."))
    return redirect("certificates:list")


def _certificate(pk: int) -> Certificate:
    return get_object_or_404(Certificate.objects.without_key(), pk=pk)


def _serves(node: Node, certificate: Certificate) -> bool:
    shown = getattr(node, "certificate", None)
    return shown is not None and shown.served == certificate.fingerprint
