from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from sbc.models import Certificate, Node


class NodeForm(Groups, forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Node
        fields = ["region", "name"]
        widgets = {"name": forms.TextInput}


PEM = {"class": "mono", "spellcheck": "false", "autocomplete": "off"}


class SecretTextarea(forms.Textarea):
    """Takes a secret and never shows it again, not even beside the error that it caused."""

    def format_value(self, value: object) -> None:
        return None


class CertificateForm(Groups, forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Certificate
        fields = ["region", "node", "chain", "key"]
        widgets = {
            "chain": forms.Textarea(attrs={"rows": 8, **PEM}),
            "key": SecretTextarea(attrs={"rows": 6, **PEM}),
        }
        help_texts = {
            "node": "",
            "chain": _("The certificate first, then what it was issued by."),
            "key": _("Kept encrypted; nobody can read it here again."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["node"].empty_label = _("All nodes of the region")  # type: ignore[attr-defined]
        if self.is_bound:
            self.fields["key"].help_text = _("Paste the key again: it is never sent back to a browser.")
