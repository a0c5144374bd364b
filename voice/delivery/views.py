"""The MSP's pages of integration: webhooks, files, the feed."""

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from portal.core.access import requires
from portal.ui.confirm import Question, confirm_page, is_confirmed
from portal.ui.forms import refuse
from portal.ui.lists import ListPage
from voice.delivery import pages, payloads, selectors, services
from voice.delivery.forms import EndpointForm, StoreForm
from voice.delivery.models import TOLD, Delivery, Endpoint, Feed, Kind, Message, Store, StoredFile
from voice.selection import nothing_picked, picked, refusal_words


def _endpoint(request: HttpRequest, pk: int) -> Endpoint:
    return get_object_or_404(selectors.endpoints(request.msp), pk=pk)


def _store(request: HttpRequest, pk: int) -> Store:
    return get_object_or_404(selectors.stores(request.msp), pk=pk)


def _list(request: HttpRequest, page: type[ListPage], name: str) -> HttpResponse:
    return page(request, tabs=pages.tabs(request, name)).response()


@requires("integrations.view")
def endpoint_list(request: HttpRequest) -> HttpResponse:
    return _list(request, pages.EndpointList, "delivery:list")


@requires("integrations.view")
def delivery_list(request: HttpRequest) -> HttpResponse:
    return _list(request, pages.DeliveryList, "delivery:deliveries")


@requires("integrations.view")
def store_list(request: HttpRequest) -> HttpResponse:
    return _list(request, pages.StoreList, "delivery:stores")


@requires("integrations.view")
def file_list(request: HttpRequest) -> HttpResponse:
    return _list(request, pages.FileList, "delivery:files")


@requires("integrations.view")
def feed(request: HttpRequest) -> HttpResponse:
    state = Feed.objects.filter(msp=request.msp).first()
    context = {"feed": state, "tabs": pages.tabs(request, "delivery:feed")}
    return TemplateResponse(request, "voice/delivery/feed.html", context)


@requires("integrations.view")
def message(request: HttpRequest, pk: int) -> HttpResponse:
    row = get_object_or_404(Message, pk=pk, msp=request.msp)
    told = json.loads(payloads.body(row, selectors.hidden_from_programs(request.msp)))
    sent = selectors.deliveries(request.msp).filter(message=row).order_by("endpoint__name")
    context = {
        "message": row,
        "body": json.dumps(told, indent=2, ensure_ascii=False),
        "sent": [(each, pages.state_of(each)) for each in sent],
    }
    return TemplateResponse(request, "voice/delivery/message.html", context)


@requires("integrations.view")
def endpoint(request: HttpRequest, pk: int) -> HttpResponse:
    row = _endpoint(request, pk)
    kinds = ", ".join(str(kind.label) for kind in Kind if kind in row.kinds)
    context = {
        "endpoint": row,
        "state": pages.standing(row),
        "kinds": kinds,
        "can_change": request.can("integrations.change"),
    }
    return TemplateResponse(request, "voice/delivery/endpoint.html", context)


@requires("integrations.change")
def endpoint_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = _endpoint(request, pk) if pk is not None else Endpoint(msp=request.msp, kinds=list(TOLD))
    form = EndpointForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        try:
            services.save_endpoint(row, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            if pk is None:
                return _secret_once(request, row)
            messages.success(request, _("Webhook saved."))
            return redirect("delivery:endpoint", pk=pk)
    return TemplateResponse(request, "voice/delivery/endpoint_form.html", {"form": form, "endpoint": row})


def _secret_once(request: HttpRequest, row: Endpoint) -> HttpResponse:
    response = TemplateResponse(request, "voice/delivery/secret.html", {"endpoint": row, "secret": row.secret})
    response["Cache-Control"] = "no-store"
    return response


@requires("integrations.change")
def endpoint_secret(request: HttpRequest, pk: int) -> HttpResponse:
    row = _endpoint(request, pk)
    question = Question(
        _("Give %(name)s a new secret?") % {"name": row.name},
        [_("What is sent from now on is signed with the new one alone: put it into your system at once.")],
        _("New secret"),
        about=row,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("delivery:endpoint", args=[pk]))
    try:
        return _secret_once(request, services.new_endpoint_secret(row, by=request.actor))
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        return redirect("delivery:endpoint", pk=pk)


@require_POST
@requires("integrations.change")
def endpoint_pause(request: HttpRequest, pk: int) -> HttpResponse:
    services.pause(_endpoint(request, pk), by=request.actor)
    messages.success(request, _("Paused. What happens meanwhile waits."))
    return redirect("delivery:endpoint", pk=pk)


@require_POST
@requires("integrations.change")
def endpoint_resume(request: HttpRequest, pk: int) -> HttpResponse:
    services.resume(_endpoint(request, pk), by=request.actor)
    messages.success(request, _("It goes on, with what has waited first."))
    return redirect("delivery:endpoint", pk=pk)


@require_POST
@requires("integrations.change")
def endpoint_test(request: HttpRequest, pk: int) -> HttpResponse:
    try:
        services.send_test(_endpoint(request, pk), by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        return redirect("delivery:endpoint", pk=pk)
    messages.success(request, _("A test message is on its way. Its answer appears here in a few seconds."))
    return redirect(f"{reverse('delivery:deliveries')}?endpoint={pk}")


@requires("integrations.change")
def endpoint_remove(request: HttpRequest, pk: int) -> HttpResponse:
    row = _endpoint(request, pk)
    question = Question(
        _("Remove the webhook %(name)s?") % {"name": row.name},
        [_("What waits for it is not sent any more. The feed keeps every message.")],
        _("Remove"),
        about=row,
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("delivery:endpoint", args=[pk]))
    try:
        services.remove_endpoint(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        return redirect("delivery:endpoint", pk=pk)
    messages.success(request, _("Webhook removed."))
    return redirect("delivery:list")


@requires("integrations.view")
def store(request: HttpRequest, pk: int) -> HttpResponse:
    context = {"store": _store(request, pk), "can_change": request.can("integrations.change")}
    return TemplateResponse(request, "voice/delivery/store.html", context)


@requires("integrations.change")
def store_edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    row = _store(request, pk) if pk is not None else Store(msp=request.msp)
    form = StoreForm(request.POST or None, instance=row)
    if request.method == "POST" and form.is_valid():
        try:
            saved = services.save_store(row, by=request.actor)
        except ValidationError as error:
            refuse(form, error)
        else:
            messages.success(request, _("Saved. “Put now” shows at once whether it works."))
            return redirect("delivery:store", pk=saved.pk)
    return TemplateResponse(request, "voice/delivery/store_form.html", {"form": form, "store": row})


@require_POST
@requires("integrations.change")
def store_put(request: HttpRequest, pk: int) -> HttpResponse:
    services.put_now(_store(request, pk), by=request.actor)
    messages.success(request, _("What is new goes into a file now."))
    return redirect(f"{reverse('delivery:files')}?store={pk}")


@requires("integrations.change")
def store_remove(request: HttpRequest, pk: int) -> HttpResponse:
    row = _store(request, pk)
    question = Question(
        _("Remove %(name)s?") % {"name": row.name}, [_("Files that are there stay there.")], _("Remove"), about=row
    )
    if not is_confirmed(request, question):
        return confirm_page(request, question, cancel=reverse("delivery:store", args=[pk]))
    try:
        services.remove_store(row, by=request.actor)
    except ValidationError as error:
        messages.error(request, refusal_words(error))
        return redirect("delivery:store", pk=pk)
    messages.success(request, _("Removed."))
    return redirect("delivery:stores")


@require_POST
@requires("integrations.change")
def send_again(request: HttpRequest) -> HttpResponse:
    ids = picked(request, pages.DeliveryList).ids
    rows = Delivery.objects.filter(msp=request.msp, pk__in=ids)
    return _again(request, services.send_again(rows, by=request.actor), "delivery:deliveries")


@require_POST
@requires("integrations.change")
def put_again(request: HttpRequest) -> HttpResponse:
    ids = picked(request, pages.FileList).ids
    rows = StoredFile.objects.filter(msp=request.msp, pk__in=ids)
    return _again(request, services.put_again(rows, by=request.actor), "delivery:files")


def _again(request: HttpRequest, count: int, back: str) -> HttpResponse:
    if count:
        words: Any = ngettext("%(n)d goes out once more.", "%(n)d go out once more.", count)
        messages.success(request, words % {"n": count})
    else:
        messages.error(request, nothing_picked())
    return redirect(back)
