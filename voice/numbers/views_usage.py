"""What each number and person talked."""

from django.http import HttpRequest, HttpResponse

from portal.core.access import requires
from voice.numbers.usage import NumberUsageList


@requires("calls.view")
def usage(request: HttpRequest) -> HttpResponse:
    return NumberUsageList(request).response()
