from django import forms
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from sbc.models import Certificate, Node


class NodeForm(Groups, forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Node
        fields = ["region", "name"]
        widgets = {"name": forms.TextInput}


class SecretTextarea(forms.Textarea):
    """Takes a secret and never shows it again, not even beside the error that it caused."""

    def format_value(self, value: object) -> None:
        return None


class CertificateForm(Groups, forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Certificate
        fields = ["region", "node", "chain", "key"]
        widgets = {
            "chain": forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
            "key": SecretTextarea(attrs={"rows": 6, "spellcheck": "false", "autocomplete": "off"}),
        }
        help_texts = {
            "chain": _("The certificate first, then what it was issued by."),
            "key": _("Kept encrypted; nobody can read it here again."),
        }
