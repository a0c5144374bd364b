from django.apps import AppConfig


class DeliveryConfig(AppConfig):
    name = "voice.delivery"
    label = "delivery"
    verbose_name = "Delivery to other billing systems"
    default_auto_field = "django.db.models.BigAutoField"
