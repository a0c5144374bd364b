"""Legal entities, the invoice register, payments and the ledger."""

import django.core.validators
import django.db.models.deletion
import django.db.models.expressions
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0004_operator_tokens"),
    ]

    operations = [
        migrations.CreateModel(
            name="LegalEntity",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="name"),
                ),
                (
                    "street",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="street"
                    ),
                ),
                (
                    "postcode",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(60)], verbose_name="postcode"
                    ),
                ),
                (
                    "city",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="city"
                    ),
                ),
                ("country", models.TextField(help_text="Two letters, for example DE.", verbose_name="country")),
                (
                    "vat_id",
                    models.TextField(
                        blank=True,
                        help_text="With its country, as DE136695976.",
                        validators=[django.core.validators.MaxLengthValidator(60)],
                        verbose_name="VAT id",
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                (
                    "phone",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(60)], verbose_name="phone"
                    ),
                ),
                (
                    "registration",
                    models.TextField(
                        blank=True,
                        help_text="For example HRB 12345 B.",
                        validators=[django.core.validators.MaxLengthValidator(200)],
                        verbose_name="company registration",
                    ),
                ),
                (
                    "tax_number",
                    models.TextField(
                        blank=True,
                        help_text="The tax office's, if any.",
                        validators=[django.core.validators.MaxLengthValidator(60)],
                        verbose_name="tax number",
                    ),
                ),
                (
                    "bank",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="bank"
                    ),
                ),
                (
                    "iban",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(60)], verbose_name="IBAN"
                    ),
                ),
                (
                    "bic",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(60)], verbose_name="BIC"
                    ),
                ),
                (
                    "invoice_pattern",
                    models.TextField(
                        default="{year}-{number:05}",
                        help_text="{number} counts without a gap; with {year} in it, it begins at 1 each year.",
                        verbose_name="invoice numbers",
                    ),
                ),
                (
                    "credit_note_pattern",
                    models.TextField(default="CN-{year}-{number:05}", verbose_name="credit note numbers"),
                ),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "msp",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="legal_entities", to="tenants.msp"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Invoice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.TextField(
                        choices=[("invoice", "Invoice"), ("credit_note", "Credit note")], default="invoice"
                    ),
                ),
                (
                    "state",
                    models.TextField(
                        choices=[("draft", "Draft"), ("approved", "Approved"), ("issued", "Issued")], default="draft"
                    ),
                ),
                ("source", models.TextField(blank=True)),
                ("begins", models.DateField(verbose_name="from")),
                ("ends", models.DateField(help_text="The first day that is not in the period.", verbose_name="until")),
                ("currency", models.TextField()),
                ("net", models.BigIntegerField(default=0)),
                ("tax", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0)),
                ("reason", models.TextField(blank=True)),
                ("number", models.TextField(blank=True)),
                ("series_period", models.PositiveSmallIntegerField(blank=True, null=True)),
                ("sequence", models.PositiveIntegerField(blank=True, null=True)),
                ("issued_on", models.DateField(blank=True, null=True, verbose_name="issued on")),
                ("due_on", models.DateField(blank=True, null=True, verbose_name="due on")),
                ("seller", models.JSONField(default=dict)),
                ("buyer", models.JSONField(default=dict)),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "corrects",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="credit_notes",
                        to="receivables.invoice",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoices", to="tenants.msp"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="tenants.customer",
                        verbose_name="customer",
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="invoices",
                        to="receivables.legalentity",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BillingProfile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="name"),
                ),
                (
                    "street",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="street"
                    ),
                ),
                (
                    "postcode",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(60)], verbose_name="postcode"
                    ),
                ),
                (
                    "city",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="city"
                    ),
                ),
                ("country", models.TextField(help_text="Two letters, for example DE.", verbose_name="country")),
                (
                    "vat_id",
                    models.TextField(
                        blank=True,
                        help_text="With its country, as DE136695976.",
                        validators=[django.core.validators.MaxLengthValidator(60)],
                        verbose_name="VAT id",
                    ),
                ),
                ("email", models.EmailField(blank=True, max_length=254, verbose_name="e-mail")),
                ("currency", models.TextField(default="EUR", verbose_name="currency")),
                ("due_days", models.PositiveSmallIntegerField(default=14, verbose_name="days to pay")),
                (
                    "buyer_reference",
                    models.TextField(
                        blank=True,
                        help_text="What the customer wants to read on each invoice, such as a routing id.",
                        validators=[django.core.validators.MaxLengthValidator(60)],
                        verbose_name="the customer's reference",
                    ),
                ),
                ("is_exempt", models.BooleanField(default=False, verbose_name="exempt from tax")),
                (
                    "exemption",
                    models.TextField(
                        blank=True,
                        validators=[django.core.validators.MaxLengthValidator(200)],
                        verbose_name="ground of the exemption",
                    ),
                ),
                ("vat_id_state", models.TextField(default="unchecked", editable=False)),
                ("vat_id_checked_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="billing_profile",
                        to="tenants.customer",
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="profiles",
                        to="receivables.legalentity",
                        verbose_name="billed by",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Account",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("receivable", "Owed by the customer"),
                            ("revenue", "Revenue"),
                            ("tax", "Tax to be paid"),
                            ("bank", "Money received"),
                            ("written_off", "Written off"),
                        ]
                    ),
                ),
                ("currency", models.TextField()),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.customer",
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="accounts",
                        to="receivables.legalentity",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="NumberSeries",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.TextField(choices=[("invoice", "Invoice"), ("credit_note", "Credit note")])),
                ("period", models.PositiveSmallIntegerField()),
                ("last", models.PositiveIntegerField(default=0)),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="series", to="receivables.legalentity"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Payment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.TextField()),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("received_on", models.DateField(verbose_name="received on")),
                (
                    "method",
                    models.TextField(
                        choices=[("transfer", "Bank transfer"), ("card", "Card"), ("cash", "Cash"), ("other", "Other")],
                        default="transfer",
                        verbose_name="method",
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        help_text="As it stands on the bank statement, so that anybody can find it again.",
                        validators=[django.core.validators.MaxLengthValidator(140)],
                        verbose_name="reference",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="payments",
                        to="receivables.legalentity",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payments", to="tenants.customer"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("invoice", "Invoice"),
                            ("credit_note", "Credit note"),
                            ("payment", "Payment"),
                            ("correction", "Correction"),
                        ]
                    ),
                ),
                ("currency", models.TextField()),
                ("booked_on", models.DateField()),
                ("text", models.TextField()),
                ("made_in", models.BigIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.customer",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="receivables.invoice",
                    ),
                ),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="receivables.legalentity",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="receivables.payment",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Allocation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("amount", models.BigIntegerField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
                    ),
                ),
                (
                    "credit_note",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="settles",
                        to="receivables.invoice",
                    ),
                ),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="receivables.invoice",
                    ),
                ),
                (
                    "payment",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="allocations",
                        to="receivables.payment",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Posting",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("debit", models.BigIntegerField(default=0)),
                ("credit", models.BigIntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="postings", to="receivables.account"
                    ),
                ),
                (
                    "entry",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="postings", to="receivables.entry"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.customer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TaxRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("country", models.TextField()),
                ("area", models.TextField(blank=True, help_text="A state, where taxes differ inside the country.")),
                ("tax", models.TextField(choices=[("vat", "VAT"), ("sales", "Sales and telecom taxes")])),
                ("name", models.TextField()),
                ("per_million", models.PositiveIntegerField()),
                ("begins", models.DateField()),
                ("ends", models.DateField(blank=True, null=True)),
                ("source", models.TextField()),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("country__regex", "^[A-Z]{2}$")), name="receivables_taxrule_country"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("ends__isnull", True), ("ends__gt", models.F("begins")), _connector="OR"),
                        name="receivables_taxrule_span",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.TextField(choices=[("pdf", "PDF"), ("xml", "E-invoice (XML)")])),
                ("content", models.BinaryField()),
                ("sha256", models.TextField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="files", to="receivables.invoice"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("invoice", "kind"), name="receivables_file_once")],
            },
        ),
        migrations.CreateModel(
            name="InvoiceLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                ("kind", models.TextField(choices=[("usage", "Calls"), ("fee", "Fee"), ("credit", "Credit")])),
                ("group", models.TextField(blank=True)),
                ("text", models.TextField()),
                ("quantity", models.BigIntegerField(default=1)),
                ("seconds", models.BigIntegerField(default=0)),
                ("exact", models.BigIntegerField()),
                ("net", models.BigIntegerField()),
                (
                    "category",
                    models.TextField(
                        choices=[
                            ("S", "Standard rate"),
                            ("AE", "Reverse charge"),
                            ("E", "Exempt"),
                            ("O", "Outside the scope of VAT"),
                        ]
                    ),
                ),
                ("per_million", models.PositiveIntegerField()),
                ("tax_name", models.TextField(blank=True)),
                ("corrects", models.PositiveIntegerField(blank=True, null=True)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="receivables.invoice"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("invoice", "position"), name="receivables_line_position_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="InvoiceTax",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "category",
                    models.TextField(
                        choices=[
                            ("S", "Standard rate"),
                            ("AE", "Reverse charge"),
                            ("E", "Exempt"),
                            ("O", "Outside the scope of VAT"),
                        ]
                    ),
                ),
                ("per_million", models.PositiveIntegerField()),
                ("name", models.TextField(blank=True)),
                ("note", models.TextField(blank=True)),
                ("net", models.BigIntegerField()),
                ("tax", models.BigIntegerField()),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="taxes", to="receivables.invoice"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("invoice", "category", "per_million", "name"), name="receivables_invoicetax_once"
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="legalentity",
            constraint=models.UniqueConstraint(
                fields=("msp", "name"),
                name="receivables_entity_name_once",
                violation_error_message="You have a company of this name already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="legalentity",
            constraint=models.CheckConstraint(
                condition=models.Q(("country__regex", "^[A-Z]{2}$")),
                name="receivables_entity_country",
                violation_error_message="Use a country code of two letters, for example DE.",
            ),
        ),
        migrations.AddConstraint(
            model_name="legalentity",
            constraint=models.CheckConstraint(
                condition=models.Q(("invoice_pattern", models.F("credit_note_pattern")), _negated=True),
                name="receivables_entity_two_patterns",
                violation_error_message="Invoices and credit notes need patterns that differ.",
            ),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["msp", "-id"], name="receivables_invoice_newest"),
        ),
        migrations.AddIndex(
            model_name="invoice",
            index=models.Index(fields=["tenant", "-issued_on"], name="receivables_invoice_customer"),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("number", ""), _negated=True),
                fields=("entity", "number"),
                name="receivables_invoice_number_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("sequence__isnull", False)),
                fields=("entity", "kind", "series_period", "sequence"),
                name="receivables_invoice_sequence_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "invoice"), models.Q(("source", ""), _negated=True)),
                fields=("tenant", "source", "begins", "ends", "currency"),
                name="receivables_invoice_source_once",
                violation_error_message="This period is on an invoice already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends__gt", models.F("begins"))),
                name="receivables_invoice_period",
                violation_error_message="The period ends before it begins.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("total", django.db.models.expressions.CombinedExpression(models.F("net"), "+", models.F("tax")))
                ),
                name="receivables_invoice_adds_up",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("corrects__isnull", True), ("kind", "invoice")),
                    models.Q(("corrects__isnull", False), ("kind", "credit_note")),
                    _connector="OR",
                ),
                name="receivables_invoice_credit_note_corrects",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("due_on__isnull", False),
                        ("issued_on__isnull", False),
                        ("sequence__isnull", False),
                        ("state", "issued"),
                        models.Q(("number", ""), _negated=True),
                    ),
                    models.Q(
                        models.Q(("state", "issued"), _negated=True),
                        ("issued_on__isnull", True),
                        ("number", ""),
                        ("sequence__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="receivables_invoice_issued_is_whole",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(("country__regex", "^[A-Z]{2}$")),
                name="receivables_profile_country",
                violation_error_message="Use a country code of two letters, for example DE.",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")),
                name="receivables_profile_currency",
                violation_error_message="Use a currency code of three letters, for example EUR.",
            ),
        ),
        migrations.AddConstraint(
            model_name="billingprofile",
            constraint=models.CheckConstraint(
                condition=models.Q(("is_exempt", False), models.Q(("exemption", ""), _negated=True), _connector="OR"),
                name="receivables_profile_exemption_has_ground",
                violation_error_message="Say why no tax is due: the invoice has to print it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.UniqueConstraint(
                fields=("entity", "tenant", "kind", "currency"), name="receivables_account_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")), name="receivables_account_currency"
            ),
        ),
        migrations.AddConstraint(
            model_name="numberseries",
            constraint=models.UniqueConstraint(fields=("entity", "kind", "period"), name="receivables_series_once"),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)),
                name="receivables_payment_is_positive",
                violation_error_message="An amount received is more than nothing.",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.CheckConstraint(
                condition=models.Q(("reference", ""), _negated=True),
                name="receivables_payment_has_reference",
                violation_error_message="Give the reference of the payment.",
            ),
        ),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                fields=("entity", "tenant", "received_on", "method", "reference", "amount"),
                name="receivables_payment_once",
                violation_error_message="This payment is recorded already: same day, reference and amount.",
            ),
        ),
        migrations.AddIndex(
            model_name="entry",
            index=models.Index(fields=["tenant", "booked_on", "id"], name="receivables_entry_statement"),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("invoice__isnull", False), ("kind__in", ["invoice", "credit_note"])),
                fields=("invoice",),
                name="receivables_entry_invoice_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("kind", "payment"), ("payment__isnull", False)),
                fields=("payment",),
                name="receivables_entry_payment_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="receivables_allocation_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("credit_note__isnull", True), ("payment__isnull", False)),
                    models.Q(("credit_note__isnull", False), ("payment__isnull", True)),
                    _connector="OR",
                ),
                name="receivables_allocation_one_origin",
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("credit", 0), ("debit__gt", 0)),
                    models.Q(("credit__gt", 0), ("debit", 0)),
                    _connector="OR",
                ),
                name="receivables_posting_one_side",
            ),
        ),
    ]
