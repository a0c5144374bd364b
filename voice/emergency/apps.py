from django.apps import AppConfig


class EmergencyConfig(AppConfig):
    name = "voice.emergency"
    label = "emergency"
    verbose_name = "Emergency calling"
    default_auto_field = "django.db.models.BigAutoField"
