"""The tags of the interface: `{% load ui %}` gives a page every component."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django import template
from django.template import loader
from django.template.base import Node, NodeList, Parser, Token
from django.template.context import Context
from django.urls import get_urlconf
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from portal.ui import forms as ui_forms
from portal.ui import heads, live_tables, markup, navigation, objects, rows, values
from portal.ui import ladder as ui_ladder
from portal.ui import status as ui_status
from portal.ui.lists import ListPage

register = template.Library()
Words = str | Promise


class CaptureNode(Node):
    """Renders its content into a variable, so that one block can stand in two places."""

    def __init__(self, nodelist: NodeList, name: str) -> None:
        self.nodelist, self.name = nodelist, name

    def render(self, context: Context) -> SafeString:
        # The blocks within are rendered escaped already.
        context[self.name] = mark_safe(self.nodelist.render(context).strip())  # noqa: S308
        return SafeString("")


@register.tag
def capture(parser: Parser, token: Token) -> CaptureNode:
    """Render what stands before `{% endcapture %}` into the variable named after `as`."""
    name = token.split_contents()[-1]
    nodelist = parser.parse(("endcapture",))
    parser.delete_first_token()
    return CaptureNode(nodelist, name)


register.simple_tag(markup.icon, name="icon")
register.simple_tag(markup.phone, name="phone")
register.simple_tag(markup.copyable, name="copyable")
register.simple_tag(markup.money, name="money")
register.simple_tag(markup.total, name="total")
register.simple_tag(markup.when, name="when")


@register.simple_tag
def page_url(name: str, *args: Any) -> str:
    """Return a page's address, or nothing where this place has no such page."""
    return navigation.address(name, get_urlconf(), *args)


@register.simple_tag(takes_context=True)
def brand_name(context: Context) -> str:
    """Return whose portal this is, in the reader's eyes: a customer's pages never name another."""
    return getattr(context.get("brand"), "name", "") or ("Strowger" if context.get("place") == "operator" else "Portal")


@register.filter
def duration(value: timedelta | float | int | None) -> str:
    return values.duration(value)


@register.filter
def minutes(seconds: float) -> str:
    return values.minutes(seconds)


@register.filter
def person(email: str) -> str:
    return values.person(email)


@register.filter
def percent(value: float | None) -> str:
    return values.percent(value)


@register.filter
def unlocalized(value: float | int | None) -> str:
    """Return a number as programs read it."""
    return "" if value is None else str(value)


@register.simple_tag
def clock(at: int) -> str:
    """Return the time of day of a moment in milliseconds, in the reader's zone."""
    local = values.moment(at)
    return f"{local:%H:%M}" if local else "–"


@register.filter
def get(row: Any, name: str) -> Any:
    """Return an entry of a mapping or an attribute of an object by a name known only at run time."""
    return row.get(name) if isinstance(row, dict) else getattr(row, name, None)


@register.simple_tag
def status(state: ui_status.Status | str | None, word: Words = "", detail: Words = "") -> SafeString:
    return markup.chip(ui_status.status(state, word=word, detail=detail))


register.simple_tag(heads.table_head, name="list_heads")
register.simple_tag(heads.filters, name="list_filters")


@register.simple_tag(takes_context=True)
def list_rows(context: Context, page: ListPage) -> SafeString:
    return rows.draw(page, context)


@register.inclusion_tag("components/empty.html")
def empty(sentence: Words, sample: Words = "", label: Words = "", url: str = "", icon: str = "list") -> dict[str, Any]:
    return {"sentence": sentence, "sample": sample, "label": label, "url": url, "icon": icon}


@register.inclusion_tag("components/fact.html")
def fact(label: Words, value: Any, help: Words = "", url: str = "") -> dict[str, Any]:
    """Return a fact under its name, with what explains it and where it leads."""
    return {"label": label, "value": value, "help": help, "url": url}


@register.simple_block_tag(end_name="endfacts")
def facts(content: str) -> SafeString:
    return format_html('<dl class="facts">{}</dl>', content)


@register.simple_block_tag(end_name="endpanel")
def panel(content: str, title: Words = "", sub: Words = "", flush: bool = False, id: str = "") -> SafeString:
    """Return a card that groups what stands in it under a heading."""
    data = {"content": content, "title": title, "sub": sub, "flush": flush, "id": id}
    return loader.render_to_string("components/panel.html", data)


@register.simple_block_tag(end_name="endnotice")
def notice(content: str, tone: str = "calm", title: Words = "") -> SafeString:
    """Return a message that belongs to the page: `calm`, `good`, `wait` or `bad`."""
    data = {"content": content, "tone": tone, "title": title}
    return loader.render_to_string("components/notice.html", data)


@register.simple_block_tag(end_name="enddanger")
def danger(content: str, title: Words = "") -> SafeString:
    return loader.render_to_string("components/danger.html", {"content": content, "title": title})


@register.inclusion_tag("components/tabs.html")
def tabs(items: list[Any]) -> dict[str, Any]:
    return {"tabs": items}


@register.inclusion_tag("components/tabs.html", takes_context=True)
def object_tabs(context: Context, resource: str, pk: Any, current: str = "page") -> dict[str, Any]:
    """Return an object's tabs: its page, its history and its place in the API, as far as the reader may see them."""
    return {"tabs": objects.tabs(context["request"], resource, pk, current)}


@register.inclusion_tag("components/timeline.html")
def timeline(events: list[Any]) -> dict[str, Any]:
    return {"events": events}


@register.inclusion_tag("components/diff.html")
def diff(lines: list[Any]) -> dict[str, Any]:
    return {"lines": lines}


@register.inclusion_tag("components/steps.html")
def steps(items: list[Any]) -> dict[str, Any]:
    return {"steps": items}


@register.inclusion_tag("components/job.html")
def job_progress(job: Any, url: str = "") -> dict[str, Any]:
    return {"job": job, "url": url}


@register.simple_block_tag(takes_context=True, end_name="endwork")
def work(context: Context, content: str, working: bool, job: Any = None) -> SafeString:
    """Return a part of the page that asks for itself each second while work goes on, with its progress above it."""
    data = {"content": content, "working": working, "job": job, "path": context["request"].path}
    return loader.render_to_string("components/work.html", data)


@register.inclusion_tag("components/ladder.html")
def ladder(parties: list[str], messages: list[Any]) -> dict[str, Any]:
    return {"ladder": ui_ladder.draw(parties, messages)}


@register.inclusion_tag("components/live_dashboard.html", takes_context=True)
def live_dashboard(context: Context, frame: dict[str, Any], url: str = "") -> dict[str, Any]:
    """Return the live dashboard with its first frame drawn as tables, for readers with and without JavaScript."""
    request = context.get("request")
    return {
        "frame": frame,
        "url": url,
        "request": request,
        "live": live_tables.live(frame),
        "tables": live_tables.others(frame, request.path if request else ""),
    }


@register.inclusion_tag("components/form.html", takes_context=True)
def form(
    context: Context,
    form: Any,
    submit: Words = "",
    cancel: str = "",
    danger: bool = False,
    panel_url: str = "",
    more: Iterable[tuple[str, Words]] = (),
    trouble: Words = "",
) -> dict[str, Any]:
    """Return a whole form: summary of errors, groups of fields, hidden fields and buttons.

    In a list's panel it posts to `panel_url`; a button of `more` says by `then` what is done beside saving.
    `trouble` heads the errors of a form that saves nothing, such as the log-in.
    """
    return {
        "form": form,
        "groups": ui_forms.groups(form),
        "submit": submit,
        "cancel": cancel,
        "danger": danger,
        "panel_url": panel_url,
        "more": more,
        "trouble": trouble,
        "csrf_token": context.get("csrf_token"),
        # Where the log-in pages of allauth send the reader afterwards.
        "redirect_field": context.get("redirect_field", ""),
        "request": context.get("request"),
    }


@register.inclusion_tag("components/form_errors.html")
def form_errors(form: Any, newest_url: str = "", trouble: Words = "") -> dict[str, Any]:
    return {"form": form, "newest_url": newest_url, "trouble": trouble}


@register.inclusion_tag("components/confirm_link.html")
def confirm_link(url: str, label: Words, icon: str = "", danger: bool = False, small: bool = False) -> dict[str, Any]:
    """Return a link to a confirmation page, which opens as a dialog where JavaScript runs."""
    return {"url": url, "label": label, "icon": icon, "danger": danger, "small": small}


@register.filter
def control(field: Any) -> SafeString:
    return ui_forms.control(field)


@register.filter
def options(field: Any) -> list[Any]:
    return ui_forms.options(field)


@register.filter
def unit(field: Any) -> Words:
    """Return the unit that stands inside the field, set as the widget's attribute `data-unit`."""
    return str(field.field.widget.attrs.get("data-unit", ""))


@register.filter
def field_kind(field: Any) -> str:
    return ui_forms.kind(field)
