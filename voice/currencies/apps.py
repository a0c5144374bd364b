from django.apps import AppConfig


class CurrenciesConfig(AppConfig):
    name = "voice.currencies"
    label = "currencies"
    verbose_name = "Currencies"
    default_auto_field = "django.db.models.BigAutoField"
