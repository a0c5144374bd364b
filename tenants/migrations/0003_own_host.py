import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import EnableRls


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_row_level_security")]

    operations = [
        migrations.CreateModel(
            name="OwnHost",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("host", models.TextField(verbose_name="host name")),
                ("token", models.TextField(editable=False)),
                ("added_at", models.DateTimeField(auto_now_add=True)),
                ("checked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("verified_at", models.DateTimeField(blank=True, editable=False, null=True)),
                (
                    "msp",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="own_hosts", to="tenants.msp"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="own_hosts",
                        to="tenants.customer",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("msp", "host"),
                        name="tenants_ownhost_once",
                        violation_error_message="You have this host name already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            (
                                "host__regex",
                                "^(?=.{4,243}$)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)+$",
                            )
                        ),
                        name="tenants_ownhost_shape",
                        violation_error_message="Write a whole host name, like portal.provider.example.",
                    ),
                ],
            },
        ),
        # The MSP's own business: a customer sees the name in its browser, and nothing of the proof.
        EnableRls("tenants_ownhost", tenant_column=None),
    ]
