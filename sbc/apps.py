from django.apps import AppConfig


class SbcConfig(AppConfig):
    name = "sbc"
    label = "sbc"
    verbose_name = "Session border controllers"
    default_auto_field = "django.db.models.BigAutoField"
