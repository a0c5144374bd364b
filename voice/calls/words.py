"""Plain words for what SIP says in numbers."""

from django.utils.translation import gettext, gettext_lazy

_WORDS = {
    0: gettext_lazy("No answer from the other side"),
    400: gettext_lazy("Request not understood"),
    401: gettext_lazy("Log-in at the carrier failed"),
    403: gettext_lazy("Not allowed"),
    404: gettext_lazy("Number not in use"),
    407: gettext_lazy("Log-in at the carrier failed"),
    408: gettext_lazy("No answer in time"),
    410: gettext_lazy("Number no longer in use"),
    480: gettext_lazy("Not reachable or no answer"),
    481: gettext_lazy("Call no longer known"),
    482: gettext_lazy("Call loop"),
    483: gettext_lazy("Call loop"),
    484: gettext_lazy("Number incomplete"),
    486: gettext_lazy("Busy"),
    487: gettext_lazy("Cancelled by the caller"),
    488: gettext_lazy("No common audio format"),
    500: gettext_lazy("Fault at the other side"),
    502: gettext_lazy("Network out of order"),
    503: gettext_lazy("No line free"),
    504: gettext_lazy("Network did not answer in time"),
    600: gettext_lazy("Busy"),
    603: gettext_lazy("Declined"),
    604: gettext_lazy("Number not in use"),
    606: gettext_lazy("Not acceptable"),
    607: gettext_lazy("Unwanted call"),
    608: gettext_lazy("Rejected by the network"),
}


def words_for(code: int) -> str:
    """Return what a SIP answer means to a person who does not read SIP."""
    if code in _WORDS:
        return str(_WORDS[code])
    if 400 <= code < 500:
        return gettext("Refused by the other side")
    if 500 <= code < 600:
        return gettext("Fault at the other side")
    return gettext("Declined") if code >= 600 else gettext("In progress")
