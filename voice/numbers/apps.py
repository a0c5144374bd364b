from django.apps import AppConfig


class NumbersConfig(AppConfig):
    name = "voice.numbers"
    label = "numbers"
    verbose_name = "Numbers"
    default_auto_field = "django.db.models.BigAutoField"
