"""Bank statements and their entries: the MSP's alone."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, EnableRls


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("receivables", "0004_reversals"),
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="BankStatement",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("iban", models.TextField(verbose_name="IBAN")),
                ("name", models.TextField(verbose_name="statement")),
                ("currency", models.TextField(verbose_name="currency")),
                ("begins", models.DateField(verbose_name="from")),
                ("ends", models.DateField(verbose_name="until")),
                ("opening", models.BigIntegerField(verbose_name="opening balance")),
                ("closing", models.BigIntegerField(verbose_name="closing balance")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="imported")),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bank_statements",
                        to="receivables.legalentity",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BankEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.TextField()),
                ("booked_on", models.DateField(verbose_name="booked on")),
                ("currency", models.TextField()),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("payer", models.TextField(blank=True, verbose_name="from or to")),
                ("payer_iban", models.TextField(blank=True, verbose_name="their IBAN")),
                ("structured", models.TextField(blank=True, verbose_name="structured reference")),
                ("text", models.TextField(blank=True, verbose_name="text")),
                ("end_to_end", models.TextField(blank=True)),
                ("return_reason", models.TextField(blank=True)),
                (
                    "state",
                    models.TextField(
                        choices=[("open", "Not matched"), ("booked", "Booked"), ("aside", "Set aside")], default="open"
                    ),
                ),
                (
                    "note",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="why"
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bank_entries",
                        to="receivables.legalentity",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "payment",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bank_entry",
                        to="receivables.payment",
                    ),
                ),
                (
                    "reversal",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="bank_entry",
                        to="receivables.reversal",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "statement",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="entries", to="payments.bankstatement"
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="bankstatement",
            constraint=models.UniqueConstraint(
                fields=("entity", "iban", "name", "begins"),
                name="payments_statement_once",
                violation_error_message="This statement is imported already.",
            ),
        ),
        migrations.AddIndex(
            model_name="bankentry",
            index=models.Index(fields=["msp", "state", "-booked_on"], name="payments_entry_open"),
        ),
        migrations.AddIndex(
            model_name="bankentry",
            index=models.Index(fields=["msp", "payer_iban"], name="payments_entry_payer"),
        ),
        migrations.AddConstraint(
            model_name="bankentry",
            constraint=models.UniqueConstraint(fields=("entity", "key"), name="payments_entry_once"),
        ),
        migrations.AddConstraint(
            model_name="bankentry",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount", 0), _negated=True), name="payments_entry_moves"
            ),
        ),
        migrations.AddConstraint(
            model_name="bankentry",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("amount__gt", 0), ("payment__isnull", False), ("reversal__isnull", True), ("state", "booked")
                    ),
                    models.Q(
                        ("amount__lt", 0), ("payment__isnull", True), ("reversal__isnull", False), ("state", "booked")
                    ),
                    models.Q(
                        models.Q(("state", "booked"), _negated=True),
                        ("payment__isnull", True),
                        ("reversal__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="payments_entry_is_booked_as_one",
            ),
        ),
        EnableRls("payments_bankstatement", tenant_column=None),
        EnableRls("payments_bankentry", tenant_column=None),
        migrations.RunSQL(
            [
                f"REVOKE ALL ON payments_bankstatement, payments_bankentry FROM {INGEST}",
                f"REVOKE INSERT, UPDATE, DELETE ON payments_bankstatement, payments_bankentry FROM {APP}",
            ],
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON payments_bankstatement, payments_bankentry TO {APP}, {INGEST}",
        ),
    ]
