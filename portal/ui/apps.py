from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class UiConfig(AppConfig):
    name = "portal.ui"
    label = "ui"
    verbose_name = "Interface"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # Each app may offer what the search finds in a `search.py` of its own.
        autodiscover_modules("search")
