"""How an MSP looks to its customers, and the host names of its own."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from portal.ui.forms import Groups
from tenants.models import (
    Brand,
    Customer,
    Msp,
)
from tenants.png import MOST_BYTES


class BrandForm(Groups, forms.ModelForm[Brand]):
    """How the MSP looks to its customers."""

    groups = [
        (_("Look"), ["name", "accent", "new_logo", "remove_logo"]),
        (_("Support contact"), ["support_email", "support_phone", "support_url"]),
    ]
    new_logo = forms.FileField(
        label=_("Logo"), required=False, help_text=_("PNG, at most 256 kB and 1,200 × 600 pixels."), max_length=200
    )
    remove_logo = forms.BooleanField(label=_("Remove the logo"), required=False)
    row_version = forms.IntegerField(widget=forms.HiddenInput)

    class Meta:
        model = Brand
        fields = ["name", "accent", "support_email", "support_phone", "support_url"]
        widgets = {
            "name": forms.TextInput,
            "support_phone": forms.TextInput,
            "accent": forms.TextInput(attrs={"type": "color"}),
        }
        help_texts = {"accent": _("Made darker or lighter where needed, so that text stays readable.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["row_version"].initial = self.instance.row_version
        if not self.instance.has_logo:
            del self.fields["remove_logo"]

    def clean_new_logo(self) -> bytes | None:
        upload = self.cleaned_data["new_logo"]
        if upload is None:
            return None
        if upload.size > MOST_BYTES:
            raise ValidationError(_("The logo may have at most %(most)s kB.") % {"most": MOST_BYTES // 1024})
        return bytes(upload.read())

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        self.instance.row_version = self.cleaned_data.get("row_version", -1)


class OwnHostForm(forms.Form):
    """A host name of the MSP's own, for its console or one customer's portal."""

    tenant = forms.ModelChoiceField(
        label=_("Leads to"), queryset=Customer.objects.none(), required=False, empty_label=_("Your own console")
    )
    host = forms.CharField(
        label=_("Host name"),
        max_length=300,
        help_text=_("For example portal.provider.example. No asterisk: each name is proven by itself."),
        widget=forms.TextInput(attrs={"autocapitalize": "none", "spellcheck": "false"}),
    )

    def __init__(self, *args: Any, msp: Msp, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        living = Customer.objects.filter(msp=msp, state__in=(Customer.State.ACTIVE, Customer.State.SUSPENDED))
        self.fields["tenant"].queryset = living.order_by("name")  # type: ignore[attr-defined]
