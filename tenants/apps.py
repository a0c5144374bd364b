from django.apps import AppConfig
from django.db.models.signals import post_delete


class TenantsConfig(AppConfig):
    name = "tenants"
    label = "tenants"
    verbose_name = "Tenancy and people"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let the library hear of customers alone that are deleted."""
        # Models are there only now.
        from django_tenants.signals import tenant_delete_callback  # noqa: PLC0415

        from tenants.models import Customer  # noqa: PLC0415

        # It asks to hear of every row of every table, and for that Django reads each row before it deletes it.
        post_delete.disconnect(tenant_delete_callback)
        post_delete.connect(tenant_delete_callback, sender=Customer)
