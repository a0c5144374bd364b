"""Published exchange rates, each MSP's own; nobody changes or takes away one that was used."""

import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, MSP, AppendOnly, EnableRls


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0002_row_level_security"),
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExchangeRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("base", models.TextField(verbose_name="one unit of")),
                ("quote", models.TextField(verbose_name="is so many units of")),
                ("nanos", models.BigIntegerField(verbose_name="rate")),
                ("day", models.DateField(verbose_name="day")),
                (
                    "kind",
                    models.TextField(
                        choices=[("ecb", "European Central Bank"), ("manual", "Entered by hand")],
                        default="manual",
                        verbose_name="source",
                    ),
                ),
                ("source", models.TextField(verbose_name="where it is published")),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["msp", "-day", "base", "quote"], name="currencies_rate_of_day")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("nanos__gt", 0)),
                        name="currencies_rate_is_positive",
                        violation_error_message="A rate is more than nothing.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("base__regex", "^[A-Z]{3}$"),
                            ("quote__regex", "^[A-Z]{3}$"),
                            models.Q(("base", models.F("quote")), _negated=True),
                        ),
                        name="currencies_rate_of_two",
                        violation_error_message="Use the codes of two currencies, for example EUR and USD.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("source", ""), _negated=True),
                        name="currencies_rate_has_source",
                        violation_error_message="Say where the rate is published, so that anybody can find it again.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "ecb")),
                        fields=("msp", "base", "quote", "day"),
                        name="currencies_rate_imported_once",
                    ),
                ],
            },
        ),
        EnableRls("currencies_exchangerate", tenant_column=None),
        AppendOnly("currencies_exchangerate"),
        migrations.RunSQL(
            f"REVOKE ALL ON currencies_exchangerate FROM {APP}, {INGEST}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON currencies_exchangerate TO {APP}, {MSP}, {INGEST}",
        ),
    ]
