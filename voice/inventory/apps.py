from django.apps import AppConfig


class InventoryConfig(AppConfig):
    name = "voice.inventory"
    label = "inventory"
    verbose_name = "Number stock"
    default_auto_field = "django.db.models.BigAutoField"
