"""The small pieces that stand many times on a page, drawn without a template: icons, states, numbers, moments."""

from datetime import date, datetime
from functools import lru_cache
from html import escape

from django.template import TemplateSyntaxError
from django.templatetags.static import static
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from portal.ui import values
from portal.ui.icons import OUTLINE
from portal.ui.status import Status

Words = str | Promise
NONE = mark_safe('<span class="none">–</span>')
_DECORATION = mark_safe('aria-hidden="true"')


def icon(name: str, label: Words = "", css: str = "") -> SafeString:
    """Return an icon: decoration without a label, an image with one."""
    if label:
        return _svg(name, css, format_html('role="img" aria-label="{}"', label))
    return _plain_icon(name, css)


@lru_cache(maxsize=512)
def _plain_icon(name: str, css: str) -> SafeString:
    return _svg(name, css, _DECORATION)


def _svg(name: str, css: str, named: SafeString) -> SafeString:
    if name not in OUTLINE:
        raise TemplateSyntaxError(f"The icon {name!r} is not listed in portal/ui/icons.py.")
    return format_html(
        '<svg class="icon {}" {}><use href="{}#{}"/></svg>', css, named, static("vendor/icons.svg"), name
    )


def chip(status: Status) -> SafeString:
    """Return a state: its icon, its word and what there is to add."""
    return _chip(status, get_language())


@lru_cache(maxsize=1024)
def _chip(status: Status, language: str | None) -> SafeString:
    detail = format_html("<small>{}</small>", status.detail) if status.detail else ""
    return format_html(
        '<span class="chip chip-{}">{}<span>{}</span>{}</span>', status.tone, icon(status.icon), status.word, detail
    )


def copyable(value: str, text: str = "") -> SafeString:
    """Return a text with a button that copies it; the button shows where JavaScript runs."""
    text = text or value
    named = escape(_("Copy %(text)s") % {"text": text})
    # A list has hundreds: escaped here, part by part, which Django's own way takes five times as long for.
    return mark_safe(  # noqa: S308
        f'<span class="copyable"><span class="phone">{escape(text)}</span><button class="copy only-script"'
        f' type="button" data-copy="{escape(value)}" aria-label="{named}">{icon("copy")}</button></span>'
    )


def phone(e164: str | None, copy: bool = True) -> SafeString | str:
    """Return a number in international format with a button that copies it."""
    if not e164:
        return "–"
    text = values.phone(e164)
    if not copy:
        return format_html('<span class="phone">{}</span>', text)
    return copyable(e164 if e164.startswith("+") else f"+{e164}", text)


def money(micros: int | None, currency: str) -> SafeString:
    """Return an amount as people write it."""
    return format_html('<span class="num">{}</span>', values.money(micros, currency))


def total(micros: int | None, currency: str) -> SafeString:
    """Return a sum rounded to the coin, with all that it comes to in the tooltip."""
    shown, exact = values.total(micros, currency), values.money(micros, currency)
    if shown == exact:
        return format_html('<span class="num">{}</span>', shown)
    return format_html('<span class="num" title="{}">{}</span>', exact, shown)


def day(value: date | None) -> SafeString:
    """Return a date on one line."""
    return format_html('<span class="day">{}</span>', date_format(value, "j M Y")) if value else NONE


def when(value: datetime | int | None, how: str = "short") -> SafeString | str:
    """Return a moment in the reader's zone, `short`, `full` or `ago`, with zone and seconds in the tooltip."""
    local = values.moment(value)
    if local is None:
        return "–"
    text = {"short": values.short_moment, "full": values.full_moment, "ago": values.ago}[how](local)
    return format_html('<time datetime="{}" title="{}">{}</time>', local.isoformat(), values.full_moment(local), text)
