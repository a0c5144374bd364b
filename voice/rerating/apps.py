from django.apps import AppConfig


class ReratingConfig(AppConfig):
    name = "voice.rerating"
    label = "rerating"
    verbose_name = "Rating again"
    default_auto_field = "django.db.models.BigAutoField"
