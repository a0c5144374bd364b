from django.apps import AppConfig


class BillingConfig(AppConfig):
    name = "voice.billing"
    label = "billing"
    verbose_name = "Bills"
    default_auto_field = "django.db.models.BigAutoField"
