from django.apps import AppConfig


class AdvisorConfig(AppConfig):
    name = "voice.advisor"
    label = "advisor"
    verbose_name = "Connectivity advisor"
    default_auto_field = "django.db.models.BigAutoField"
