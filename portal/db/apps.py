from django.apps import AppConfig


class DbConfig(AppConfig):
    name = "portal.db"
    label = "db"
    verbose_name = "Database backend"
    default_auto_field = "django.db.models.BigAutoField"
