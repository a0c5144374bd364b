"""What Microsoft refuses, as documented: each rule looks at one message and names one reason."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from lab import sdp, sip
from lab.certificate import Certificate
from lab.refusal import Refusal
from lab.uri import NameAddr, Uri

E164 = re.compile(r"^\+[1-9][0-9]{6,14}$")
LONGEST_FQDN = 63


@dataclass
class Directory:
    """Which domains are verified in which tenants, and which numbers the tenants have."""

    bases: set[str] = field(default_factory=set)
    customers: dict[str, set[str]] = field(default_factory=dict)
    # For demos, where customers come and go: every name under a base is a tenant, with whatever number is called.
    open: bool = False

    def tenant_of(self, fqdn: str) -> str | None:
        """Return the domain whose tenant answers for the FQDN: itself, else its parent."""
        if fqdn in self.customers or fqdn in self.bases:
            return fqdn
        parent = fqdn.partition(".")[2]
        return parent if parent in self.customers or parent in self.bases else None

    def has(self, fqdn: str, number: str) -> bool:
        """Tell whether the tenant that answers for the FQDN has the number."""
        if self.open and fqdn not in self.bases:
            return True
        return number in self.customers.get(self.tenant_of(fqdn) or fqdn, ())


def check_request(
    request: sip.Request,
    certificate: Certificate | None,
    directory: Directory,
    names: Collection[str],
) -> Refusal | None:
    """Return the first rule that a request outside a dialog, or an INVITE inside one, breaks."""
    return first(
        certificate_speaks(request, certificate),
        no_sips(request),
        no_replaces(request),
    ) or (_check_places(request, certificate, directory, names) if request.method in ("INVITE", "OPTIONS") else None)


def _check_places(
    request: sip.Request, certificate: Certificate | None, directory: Directory, names: Collection[str]
) -> Refusal | None:
    refusal = contact_present(request) or first(contact_named(request), routes_named(request))
    if refusal is not None:
        return refusal
    contact = request.addresses("Contact")[0].uri
    refusal = first(
        fqdn_short(request, contact.host),
        fqdn_proven(request, contact.host, certificate),
        fqdn_registered(request, contact.host, directory),
        contact_secure(request, contact),
        routes_match(request, contact.host),
    )
    if refusal is not None or request.to.tag:
        return refusal or offer(request)
    if request.method == "OPTIONS":
        return first(host_ours(request, names), base_only(request, contact.host, directory))
    return (
        first(host_ours(request, names), number_dialled(request), caller(request, contact.host))
        or callee(request, contact.host, names)
        or offer(request)
        or number_known(request, contact.host, directory)
    )


def first(*refusals: Refusal | None) -> Refusal | None:
    """Return the first that is one."""
    return next((refusal for refusal in refusals if refusal is not None), None)


def certificate_speaks(request: sip.Message, certificate: Certificate | None) -> Refusal | None:
    """Refuse a client without certificate, or whose certificate lacks Server Authentication."""
    if certificate is None:
        return Refusal("certificate-missing", request, 403, "no client certificate")
    if not certificate.serves:
        return Refusal("certificate-purpose", request, 403, "the certificate lacks Server Authentication")
    return None


def no_sips(request: sip.Request) -> Refusal | None:
    """Refuse sips URIs."""
    uris = [request.uri, request.from_.uri, request.to.uri]
    for name in ("Contact", "Record-Route", "Route"):
        uris += [address.uri for address in request.addresses(name)]
    if any(uri.scheme == "sips" for uri in uris):
        return Refusal("sips", request, 416, "sips URIs are not supported")
    return None


def no_replaces(request: sip.Request) -> Refusal | None:
    """Refuse Replaces in whatever form."""
    requires = ",".join(request.all("Require")).lower()
    if request.all("Replaces") or "replaces" in requires or "replaces=" in request.get("Refer-To").lower():
        return Refusal("replaces", request, 403, "Replaces from the SBC is rejected")
    return None


def contact_present(request: sip.Message) -> Refusal | None:
    """Refuse a message without Contact."""
    if request.get("Contact") == "*" or not request.addresses("Contact"):
        return Refusal("contact-missing", request, 403, "Contact or Record-Route header is missing")
    return None


def contact_named(message: sip.Message) -> Refusal | None:
    """Refuse an IP address in Contact."""
    if message.addresses("Contact")[0].uri.is_ip:
        return Refusal("contact-ip", message, 403, f"IP address in Contact {message.get('Contact')}")
    return None


def routes_named(message: sip.Message, ours: Collection[str] = ()) -> Refusal | None:
    """Refuse an IP address in Record-Route."""
    for route in _theirs(message, ours):
        if route.uri.is_ip:
            return Refusal("record-route-ip", message, 403, f"IP address in Record-Route {route}")
    return None


def routes_match(message: sip.Message, fqdn: str, ours: Collection[str] = ()) -> Refusal | None:
    """Refuse a Record-Route that names something else than Contact."""
    for route in _theirs(message, ours):
        if route.uri.host != fqdn:
            return Refusal("record-route-other", message, 403, f"Record-Route {route} differs from Contact's {fqdn}")
    return None


def _theirs(message: sip.Message, ours: Collection[str]) -> Iterable[NameAddr]:
    return (route for route in message.addresses("Record-Route") if route.uri.host not in ours)


def fqdn_short(message: sip.Message, fqdn: str) -> Refusal | None:
    """Refuse a name longer than a gateway's may be."""
    if len(fqdn) > LONGEST_FQDN:
        return Refusal("fqdn-too-long", message, 403, f"{fqdn} has more than {LONGEST_FQDN} characters")
    return None


def fqdn_proven(message: sip.Message, fqdn: str, certificate: Certificate | None) -> Refusal | None:
    """Refuse a name that the certificate does not cover."""
    if certificate is None or not certificate.covers(fqdn):
        return Refusal("fqdn-not-in-certificate", message, 403, f"the certificate does not cover {fqdn}")
    return None


def fqdn_registered(message: sip.Message, fqdn: str, directory: Directory) -> Refusal | None:
    """Refuse a name in no tenant."""
    if directory.tenant_of(fqdn) is None:
        return Refusal("fqdn-unknown", message, 403, f"{fqdn} is registered in no tenant")
    return None


def contact_secure(request: sip.Request, contact: Uri) -> Refusal | None:
    """Refuse a Contact that is not reached by TLS."""
    if (contact.params.get("transport") or "").lower() != "tls":
        return Refusal("contact-transport", request, 403, f"Contact {contact} lacks transport=tls")
    return None


def host_ours(request: sip.Request, names: Collection[str]) -> Refusal | None:
    """Refuse a Request-URI with another host than one of the documented names."""
    if request.uri.host not in names or request.uri.port not in (None, 5061):
        return Refusal("request-uri-host", request, 404, f"Request-URI {request.uri} names none of our hosts")
    return None


def base_only(request: sip.Request, fqdn: str, directory: Directory) -> Refusal | None:
    """Refuse OPTIONS in the name of a derived trunk."""
    if fqdn not in directory.bases:
        return Refusal("options-not-from-base", request, 403, f"{fqdn} is not a carrier trunk")
    return None


def number_dialled(request: sip.Request) -> Refusal | None:
    """Refuse a Request-URI whose user is not +E.164."""
    if not E164.match(request.uri.number):
        return Refusal("request-uri-number", request, 404, f"{request.uri.user!r} is not +E.164")
    return None


def caller(request: sip.Request, fqdn: str) -> Refusal | None:
    """Refuse a From that is not +E.164 at the SBC's name, unless the caller is anonymous."""
    uri = request.from_.uri
    if uri.user.lower() == "anonymous":
        return None
    if not E164.match(uri.number):
        return Refusal("from-number", request, 403, f"From {uri.user!r} is not +E.164")
    if uri.host != fqdn:
        return Refusal("from-host", request, 403, f"From's host {uri.host} differs from Contact's {fqdn}")
    return None


def callee(request: sip.Request, fqdn: str, names: Collection[str]) -> Refusal | None:
    """Refuse a To that is not +E.164 at the SBC's or Microsoft's name."""
    uri = request.to.uri
    if not E164.match(uri.number) or (uri.host != fqdn and uri.host not in names):
        return Refusal("to-form", request, 403, f"To {uri} is not +E.164 at {fqdn} or a Microsoft name")
    return None


def number_known(request: sip.Request, fqdn: str, directory: Directory) -> Refusal | None:
    """Refuse a number that the tenant does not have."""
    if not directory.has(fqdn, request.uri.number):
        return Refusal("number-unknown", request, 404, f"{request.uri.number} is no number of {fqdn}'s tenant")
    return None


def offer(message: sip.Message) -> Refusal | None:
    """Refuse a missing or unacceptable description of the sound; an OPTIONS needs none."""
    if isinstance(message, sip.Request) and message.method != "INVITE":
        return None
    if not message.body:
        return Refusal("delayed-offer", message, 488, "no SDP: delayed offer is not supported")
    if not message.get("Content-Type").lower().startswith("application/sdp"):
        return Refusal("sdp-type", message, 488, f"body of type {message.get('Content-Type')!r}")
    try:
        described = sdp.parse(message.body)
    except sdp.SdpError as error:
        return Refusal("sdp-broken", message, 488, str(error))
    return _secured(message, described)


def _secured(message: sip.Message, described: sdp.Sdp) -> Refusal | None:
    if described.profile not in ("RTP/SAVP", "UDP/TLS/RTP/SAVP"):
        return Refusal("sdp-profile", message, 488, f"profile {described.profile} is not RTP/SAVP")
    suites = {crypto.suite for crypto in described.cryptos}
    if suites != {sdp.SUITE} or any(len(crypto.key) != 30 for crypto in described.cryptos):
        return Refusal("sdp-crypto", message, 488, f"suites {sorted(suites)}, wanted {sdp.SUITE} alone")
    if described.direction in ("sendonly", "recvonly") or described.address == "0.0.0.0":
        return Refusal("hold-form", message, 488, "only a=inactive is understood as hold")
    return None
