from django.apps import AppConfig


class CarriersConfig(AppConfig):
    name = "voice.carriers"
    label = "carriers"
    verbose_name = "Carriers and trunks"
    default_auto_field = "django.db.models.BigAutoField"
