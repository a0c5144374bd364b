from django.apps import AppConfig


class MarginConfig(AppConfig):
    name = "voice.margin"
    label = "margin"
    verbose_name = "Margin"
    default_auto_field = "django.db.models.BigAutoField"
