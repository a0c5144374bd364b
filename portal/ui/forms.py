"""How forms look and how a service's refusal reaches the field that it is about."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models.fields import BLANK_CHOICE_DASH
from django.forms.renderers import DjangoTemplates
from django.template import loader
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from portal.core.errors import StaleEdit

Words = str | Promise
DASHES = BLANK_CHOICE_DASH[0][1]
CHECKS = (forms.CheckboxInput,)
CHOICES = (forms.RadioSelect, forms.CheckboxSelectMultiple)


class Renderer(DjangoTemplates):
    """Draws fields with our own templates and widgets with Django's."""

    form_template_name = "components/form_fields.html"
    field_template_name = "components/field.html"

    def get_template(self, template_name: str) -> Any:
        if template_name.startswith("components/"):
            return loader.get_template(template_name)
        return super().get_template(template_name)


class Groups:
    """Lays a form out in groups: `groups = [(_("Limits"), ["cps", "channels"])]`; fields in no group come first."""

    groups: Sequence[tuple[Words, Sequence[str]]] = ()


@dataclass(frozen=True)
class Group:
    heading: Words
    fields: list[forms.BoundField]


def groups(form: forms.BaseForm) -> list[Group]:
    """Return the visible fields of the form in the groups that it names."""
    named: Iterable[tuple[Words, Sequence[str]]] = getattr(form, "groups", ())
    placed = {name for _heading, names in named for name in names}
    loose = [field for field in form.visible_fields() if field.name not in placed]
    rest = [Group("", loose)] if loose else []
    found = [Group(heading, [form[name] for name in names if name in form.fields]) for heading, names in named]
    return rest + [group for group in found if group.fields]


def refuse(form: forms.BaseForm, error: ValidationError) -> None:
    """Put a service's refusal into the form: at the fields that the form has, above the form for the rest.

    An edit of something that somebody else has changed meanwhile is told apart, so that the page can say who and when.
    """
    if isinstance(error, StaleEdit):
        form.stale = error  # type: ignore[attr-defined]
    if not hasattr(error, "error_dict"):
        form.add_error(None, error)
        return
    for name, errors in error.error_dict.items():
        form.add_error(name if name in form.fields and name != NON_FIELD_ERRORS else None, errors)


def kind(field: forms.BoundField) -> str:
    """Return how the field is laid out: `check`, `choices`, `file` or `line`."""
    widget = field.field.widget
    if isinstance(widget, CHOICES):
        return "choices"
    if isinstance(widget, CHECKS):
        return "check"
    return "file" if isinstance(widget, forms.ClearableFileInput) else "line"


def control(field: forms.BoundField) -> SafeString:
    """Return the field's control with the class of its kind; what a widget asks for itself stays."""
    widget = field.field.widget
    base = "form-control"
    if isinstance(widget, (*CHECKS, *CHOICES)):
        base = "form-check-input"
    elif isinstance(widget, forms.Select):
        base = "form-select"
        _name_nothing(field.field)
    classes = [base, widget.attrs.get("class", ""), "is-invalid" if field.errors else ""]
    return field.as_widget(attrs={"class": " ".join(filter(None, classes))})


def _name_nothing(field: forms.Field) -> None:
    """Let an empty choice say what it is instead of Django's row of dashes."""
    words = _("Choose…") if field.required else "–"
    if isinstance(field, forms.ModelChoiceField):
        field.empty_label = words if field.empty_label == DASHES else field.empty_label
    elif isinstance(field, forms.ChoiceField) and ("", DASHES) in (choices := list(field.choices)):  # type: ignore[arg-type]
        field.choices = [("", words) if choice == ("", DASHES) else choice for choice in choices]


def options(field: forms.BoundField) -> list[forms.boundfield.BoundWidget]:
    """Return the radio buttons or boxes of a field, each with the class of its kind."""
    field.field.widget.attrs.setdefault("class", "form-check-input")
    return list(field.subwidgets)
