"""Where companies are registered for VAT abroad, and the number under which an invoice is sold."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, MSP, EnableRls

# What was approved is what is issued: the number that it will print, too.
APPROVED = (
    "NEW.begins, NEW.ends, NEW.corrects_id)",
    "OLD.currency, OLD.net, OLD.tax, OLD.begins, OLD.ends, OLD.corrects_id)",
)
WITH_NUMBER = (
    "NEW.begins, NEW.ends, NEW.corrects_id, NEW.seller_vat_id)",
    "OLD.currency, OLD.net, OLD.tax, OLD.begins, OLD.ends, OLD.corrects_id, OLD.seller_vat_id)",
)


def comparing(before, after):
    """Return what makes the guard of invoices compare otherwise, and leaves the rest of it as it is."""
    steps = "".join(
        f"""
            IF position('{old}' IN made) = 0 THEN
                RAISE EXCEPTION 'the guard of invoices compares what is not known here';
            END IF;
            made := replace(made, '{old}', '{new}');"""
        for old, new in zip(before, after, strict=True)
    )
    return f"""
        DO $do$
        DECLARE
            made text := pg_get_functiondef('receivables_invoice_guard'::regproc);
        BEGIN{steps}
            EXECUTE made;
        END $do$
    """


class Migration(migrations.Migration):
    dependencies = [
        ("receivables", "0012_billed_months"),
        ("tenants", "0002_row_level_security"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="seller_vat_id",
            field=models.TextField(blank=True),
        ),
        migrations.CreateModel(
            name="VatRegistration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("country", models.TextField(help_text="Two letters, for example GB.", verbose_name="country")),
                (
                    "vat_id",
                    models.TextField(
                        help_text="With its country, as GB999999973 or CHE999999996MWST.",
                        validators=[django.core.validators.MaxLengthValidator(60)],
                        verbose_name="VAT id there",
                    ),
                ),
                (
                    "is_established",
                    models.BooleanField(
                        default=False,
                        help_text="It then charges businesses, too. Without one it charges consumers alone, except in "
                        "Switzerland and Norway, where who is registered charges everybody.",
                        verbose_name="has an establishment there",
                    ),
                ),
                ("begins", models.DateField(verbose_name="from")),
                (
                    "ends",
                    models.DateField(
                        blank=True,
                        help_text="The first day on which it does not hold.",
                        null=True,
                        verbose_name="until",
                    ),
                ),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="registrations",
                        to="receivables.legalentity",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("country__regex", "^[A-Z]{2}$")),
                        name="receivables_registration_country",
                        violation_error_message="Use a country code of two letters, for example GB.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends__isnull", True), ("ends__gt", models.F("begins")), _connector="OR"),
                        name="receivables_registration_span",
                        violation_error_message="It ends before it begins.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("vat_id", ""), _negated=True),
                        name="receivables_registration_has_id",
                        violation_error_message="Enter the VAT id: the invoice has to show it.",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("ends__isnull", True)),
                        fields=("entity", "country"),
                        name="receivables_registration_one_open",
                        violation_error_message="The company is registered there already: end that registration first.",
                    ),
                ],
            },
        ),
        migrations.RunSQL(comparing(APPROVED, WITH_NUMBER), comparing(WITH_NUMBER, APPROVED)),
        EnableRls("receivables_vatregistration", tenant_column=None),
        migrations.RunSQL(
            [
                f"REVOKE ALL ON receivables_vatregistration FROM {APP}, {INGEST}",
                f"REVOKE DELETE ON receivables_vatregistration FROM {MSP}",
            ],
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON receivables_vatregistration TO {APP}, {MSP}, {INGEST}",
        ),
    ]
