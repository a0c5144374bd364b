"""Forms of webhooks and file stores."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from voice.delivery.models import TOLD, Endpoint, Kind, Store
from voice.receivables.forms import Stored


class EndpointForm(Stored):
    """An address that is sent messages."""

    kinds = forms.MultipleChoiceField(
        label=_("What it is sent"),
        choices=[(kind.value, kind.label) for kind in Kind if kind in TOLD],
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Endpoint
        fields = ["name", "url", "kinds"]
        widgets = {"name": forms.TextInput}
        help_texts = {"url": _("It answers with 200 to 299 within ten seconds; anything else is sent again later.")}


class StoreForm(Groups, Stored):
    """A place that files are put into."""

    secret = forms.CharField(
        label=_("Password, private key or secret key"),
        required=False,
        strip=False,
        max_length=10_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocomplete": "off"}),
        help_text=_("Stored encrypted and never shown again. Leave empty to keep the one that is there."),
    )
    groups = [
        (_("Where"), ["name", "way", "host", "port", "folder"]),
        (_("Who we are there"), ["username", "secret", "host_key"]),
        (_("What and when"), ["content", "every", "enabled"]),
    ]

    class Meta:
        model = Store
        fields = [
            "name", "way", "host", "port", "folder", "username", "secret", "host_key", "content", "every", "enabled",
        ]  # fmt: skip
        widgets = dict.fromkeys(("name", "host", "folder", "username"), forms.TextInput) | {
            "host_key": forms.Textarea(attrs={"rows": 2, "spellcheck": "false"})
        }
        help_texts = {
            "port": _("22 for SFTP, 443 for S3."),
            "folder": _("For example “cdr/strowger”; for S3 the bucket comes first."),
            "host_key": _("For SFTP: what “ssh-keyscan” says of the host, such as “ssh-ed25519 AAAA…”."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["secret"] = ""

    def _post_clean(self) -> None:
        # An empty secret keeps the stored one: the service sees to it.
        super()._post_clean()
        self.instance.secret = self.cleaned_data.get("secret") or ""

    def clean_host_key(self) -> Any:
        """Return the key alone: a line of ssh-keyscan begins with the host."""
        words = self.cleaned_data["host_key"].split()
        return " ".join(words[1:] if len(words) == 3 and not words[0].startswith(("ssh-", "ecdsa-")) else words)
