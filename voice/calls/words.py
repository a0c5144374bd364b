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
# Causes of Q.850, which the telephone network uses.
_CAUSES = {
    1: gettext_lazy("number not in use"),
    2: gettext_lazy("no way to the network"),
    3: gettext_lazy("no way to the number"),
    16: gettext_lazy("hung up"),
    17: gettext_lazy("busy"),
    18: gettext_lazy("nobody there"),
    19: gettext_lazy("no answer"),
    20: gettext_lazy("switched off or out of reach"),
    21: gettext_lazy("declined"),
    22: gettext_lazy("number changed"),
    25: gettext_lazy("call loop"),
    27: gettext_lazy("line out of order"),
    28: gettext_lazy("number incomplete or malformed"),
    29: gettext_lazy("service refused"),
    31: gettext_lazy("no reason given"),
    34: gettext_lazy("no line free"),
    38: gettext_lazy("network out of order"),
    41: gettext_lazy("fault for a moment"),
    42: gettext_lazy("network overloaded"),
    47: gettext_lazy("no room in the network"),
    55: gettext_lazy("not allowed in this group"),
    57: gettext_lazy("not allowed"),
    58: gettext_lazy("not available at present"),
    63: gettext_lazy("service not available"),
    65: gettext_lazy("kind of call not known"),
    70: gettext_lazy("kind of call not known"),
    79: gettext_lazy("service not known"),
    102: gettext_lazy("no answer in time"),
    111: gettext_lazy("protocol error"),
    127: gettext_lazy("fault between networks"),
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


def words_for_cause(cause: int) -> str:
    """Return what a Q.850 cause means, nothing where it is a rare one."""
    return str(_CAUSES.get(cause, ""))
