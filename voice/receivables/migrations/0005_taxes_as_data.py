"""Taxes as data: rules with dates and places, exemptions, answers about VAT ids, several taxes on one line."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, MSP, TENANT, THIS_MSP, EnableRls

# The operator's console: neither a customer's portal nor an MSP's.
NO_PLACE = f"{TENANT} IS NULL AND {THIS_MSP} IS NULL"
KEEP_EXEMPT = [
    # The owner of the tables sees no rows under row-level security.
    "ALTER TABLE receivables_billingprofile NO FORCE ROW LEVEL SECURITY",
    """INSERT INTO receivables_exemption
           (msp_id, tenant_id, kind, tax, area, ground, certificate, begins, row_version, created_at)
       SELECT msp_id, tenant_id, 'exempt', '', '', exemption, '', DATE '2000-01-01', 0, now()
         FROM receivables_billingprofile WHERE is_exempt""",
    "SET CONSTRAINTS ALL IMMEDIATE",
    "ALTER TABLE receivables_billingprofile FORCE ROW LEVEL SECURITY",
]
# A levy stands on lines that the row of their rate counts already.
ALL_TAXES = "SELECT coalesce(sum(net), 0), coalesce(sum(tax), 0) INTO taxed, taxes"
TAXES_OF_LINES = "SELECT coalesce(sum(net) FILTER (WHERE NOT is_levy), 0), coalesce(sum(tax), 0) INTO taxed, taxes"


def counting(before, after):
    """Return what makes the guard of invoices count otherwise, and leaves the rest of it as it is."""
    return f"""
        DO $do$
        DECLARE
            made text := pg_get_functiondef('receivables_invoice_guard'::regproc);
        BEGIN
            IF position('{before}' IN made) = 0 THEN
                RAISE EXCEPTION 'the guard of invoices counts its taxes in a way that is not known here';
            END IF;
            EXECUTE replace(made, '{before}', '{after}');
        END $do$
    """


def policy(table, name, command, roles, using="", check=""):
    """Return the operation that lets roles do something with rows that a condition finds."""
    conditions = (f" USING ({using})" if using else "") + (f" WITH CHECK ({check})" if check else "")
    return migrations.RunSQL(
        f'CREATE POLICY "{name}" ON "{table}" FOR {command} TO {roles}{conditions}',
        f'DROP POLICY "{name}" ON "{table}"',
    )


class Migration(migrations.Migration):
    dependencies = [
        ("receivables", "0004_reversals"),
        ("tenants", "0002_row_level_security"),
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="Exemption",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.TextField(
                        choices=[("exempt", "Exempt"), ("resale", "Reseller of telecommunications")],
                        default="exempt",
                        verbose_name="kind",
                    ),
                ),
                (
                    "tax",
                    models.TextField(
                        blank=True,
                        choices=[
                            ("vat", "VAT"),
                            ("resale", "VAT owed by resellers of telecommunications"),
                            ("sales", "Sales tax"),
                            ("telecom", "Telecommunications tax"),
                            ("usf", "Universal service"),
                            ("911", "911 fee"),
                        ],
                        help_text="Blank is every tax.",
                        verbose_name="tax",
                    ),
                ),
                ("area", models.TextField(blank=True, help_text="Blank is everywhere.", verbose_name="state")),
                (
                    "ground",
                    models.TextField(
                        help_text="The invoice prints it, for example the law.",
                        validators=[django.core.validators.MaxLengthValidator(200)],
                        verbose_name="ground",
                    ),
                ),
                (
                    "certificate",
                    models.TextField(
                        blank=True,
                        validators=[django.core.validators.MaxLengthValidator(60)],
                        verbose_name="certificate",
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
            ],
        ),
        migrations.CreateModel(
            name="VatIdCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("vat_id", models.TextField()),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("valid", "Registered"),
                            ("wrong", "Not registered"),
                            ("shape", "Right shape, no register asked"),
                            ("unknown", "The register did not answer"),
                        ]
                    ),
                ),
                ("register", models.TextField(blank=True)),
                ("request_id", models.TextField(blank=True)),
                ("name", models.TextField(blank=True)),
                ("address", models.TextField(blank=True)),
                ("words", models.TextField(blank=True)),
                ("asked_at", models.DateTimeField()),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="billingprofile",
            name="receivables_profile_exemption_has_ground",
        ),
        migrations.RemoveConstraint(
            model_name="invoicetax",
            name="receivables_invoicetax_once",
        ),
        migrations.AddField(
            model_name="billingprofile",
            name="area",
            field=models.TextField(
                blank=True,
                help_text="In the US, for example NY.",
                validators=[django.core.validators.MaxLengthValidator(60)],
                verbose_name="state",
            ),
        ),
        migrations.AddField(
            model_name="billingprofile",
            name="county",
            field=models.TextField(
                blank=True, validators=[django.core.validators.MaxLengthValidator(60)], verbose_name="county"
            ),
        ),
        migrations.AddField(
            model_name="billingprofile",
            name="is_business",
            field=models.BooleanField(
                default=True,
                help_text="A consumer is taxed where it lives, a business owes the tax itself.",
                verbose_name="a business",
            ),
        ),
        migrations.AddField(
            model_name="billingprofile",
            name="language",
            field=models.TextField(
                blank=True,
                choices=[("en", "English"), ("de", "Deutsch"), ("fr", "Français")],
                help_text="Of invoices and mails; blank is the language of the country.",
                verbose_name="language",
            ),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="levies",
            field=django.contrib.postgres.fields.ArrayField(
                base_field=models.PositiveIntegerField(), default=list, size=None
            ),
        ),
        migrations.AddField(
            model_name="invoicetax",
            name="fixed",
            field=models.BigIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="invoicetax",
            name="is_levy",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="invoicetax",
            name="position",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="invoicetax",
            name="share_per_million",
            field=models.PositiveIntegerField(default=1000000),
        ),
        migrations.AddField(
            model_name="invoicetax",
            name="units",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="area",
            field=models.TextField(
                blank=True,
                help_text="In the US, for example NY.",
                validators=[django.core.validators.MaxLengthValidator(60)],
                verbose_name="state",
            ),
        ),
        migrations.AddField(
            model_name="legalentity",
            name="is_in_oss",
            field=models.BooleanField(
                default=False,
                help_text="Consumers in other EU countries then pay the VAT of their own country.",
                verbose_name="declares in the one-stop shop",
            ),
        ),
        migrations.AddField(
            model_name="taxrule",
            name="city",
            field=models.TextField(blank=True, verbose_name="city"),
        ),
        migrations.AddField(
            model_name="taxrule",
            name="county",
            field=models.TextField(blank=True, verbose_name="county"),
        ),
        migrations.AddField(
            model_name="taxrule",
            name="currency",
            field=models.TextField(blank=True, verbose_name="currency"),
        ),
        migrations.AddField(
            model_name="taxrule",
            name="fixed",
            field=models.BigIntegerField(default=0, verbose_name="for each number"),
        ),
        migrations.AddField(
            model_name="taxrule",
            name="msp",
            field=models.ForeignKey(
                blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"
            ),
        ),
        migrations.AddField(
            model_name="taxrule",
            name="share_per_million",
            field=models.PositiveIntegerField(default=1000000, verbose_name="taxed part"),
        ),
        migrations.AddField(
            model_name="taxrule",
            name="tax_class",
            field=models.TextField(
                blank=True,
                choices=[("telecom", "Calls and lines"), ("service", "Other services"), ("goods", "Goods")],
                verbose_name="what is taxed",
            ),
        ),
        migrations.AlterField(
            model_name="invoicefile",
            name="kind",
            field=models.TextField(
                choices=[("pdf", "PDF"), ("xml", "E-invoice (XML)"), ("ubl", "E-invoice for Peppol (UBL)")]
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="category",
            field=models.TextField(
                choices=[
                    ("S", "Standard rate"),
                    ("AE", "Reverse charge"),
                    ("E", "Exempt"),
                    ("K", "Supply of goods inside the EU"),
                    ("G", "Export of goods"),
                    ("O", "Outside the scope of VAT"),
                ]
            ),
        ),
        migrations.AlterField(
            model_name="invoicetax",
            name="category",
            field=models.TextField(
                choices=[
                    ("S", "Standard rate"),
                    ("AE", "Reverse charge"),
                    ("E", "Exempt"),
                    ("K", "Supply of goods inside the EU"),
                    ("G", "Export of goods"),
                    ("O", "Outside the scope of VAT"),
                ]
            ),
        ),
        migrations.AlterField(
            model_name="taxrule",
            name="area",
            field=models.TextField(
                blank=True, help_text="Where taxes differ inside the country: NY.", verbose_name="state"
            ),
        ),
        migrations.AlterField(
            model_name="taxrule",
            name="begins",
            field=models.DateField(verbose_name="from"),
        ),
        migrations.AlterField(
            model_name="taxrule",
            name="country",
            field=models.TextField(help_text="Two letters, for example DE.", verbose_name="country"),
        ),
        migrations.AlterField(
            model_name="taxrule",
            name="ends",
            field=models.DateField(blank=True, null=True, verbose_name="until"),
        ),
        migrations.AlterField(
            model_name="taxrule",
            name="name",
            field=models.TextField(help_text="As the invoice prints it.", verbose_name="name"),
        ),
        migrations.AlterField(
            model_name="taxrule",
            name="per_million",
            field=models.PositiveIntegerField(default=0, verbose_name="rate"),
        ),
        migrations.AlterField(
            model_name="taxrule",
            name="source",
            field=models.TextField(
                help_text="The law or notice that says so, so that anybody can check it.", verbose_name="source"
            ),
        ),
        migrations.AlterField(
            model_name="taxrule",
            name="tax",
            field=models.TextField(
                choices=[
                    ("vat", "VAT"),
                    ("resale", "VAT owed by resellers of telecommunications"),
                    ("sales", "Sales tax"),
                    ("telecom", "Telecommunications tax"),
                    ("usf", "Universal service"),
                    ("911", "911 fee"),
                ],
                verbose_name="tax",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicetax",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_levy", False)),
                fields=("invoice", "category", "per_million", "name"),
                name="receivables_invoicetax_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicetax",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_levy", True)),
                fields=("invoice", "position"),
                name="receivables_invoicetax_levy_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="taxrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("share_per_million__lte", 1000000)),
                name="receivables_taxrule_part",
                violation_error_message="The taxed part is at most the whole.",
            ),
        ),
        migrations.AddConstraint(
            model_name="taxrule",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("fixed", 0),
                    models.Q(("currency__regex", "^[A-Z]{3}$"), ("fixed__gt", 0), ("per_million", 0)),
                    _connector="OR",
                ),
                name="receivables_taxrule_fixed",
                violation_error_message="An amount for each number has a currency, and no rate beside it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="taxrule",
            constraint=models.CheckConstraint(
                condition=models.Q(("source", ""), _negated=True),
                name="receivables_taxrule_has_source",
                violation_error_message="Name the law or notice that says so.",
            ),
        ),
        migrations.AddConstraint(
            model_name="taxrule",
            constraint=models.UniqueConstraint(
                fields=("msp", "country", "area", "county", "city", "tax", "tax_class", "name", "begins"),
                name="receivables_taxrule_once",
                nulls_distinct=False,
                violation_error_message="There is such a rule from that day on.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="taxrule",
            name="receivables_taxrule_country",
            constraint=models.CheckConstraint(
                condition=models.Q(("country__regex", "^[A-Z]{2}$")),
                name="receivables_taxrule_country",
                violation_error_message="Use a country code of two letters, for example DE.",
            ),
        ),
        migrations.AlterConstraint(
            model_name="taxrule",
            name="receivables_taxrule_span",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends__isnull", True), ("ends__gt", models.F("begins")), _connector="OR"),
                name="receivables_taxrule_span",
                violation_error_message="The rule ends before it begins.",
            ),
        ),
        migrations.AddField(
            model_name="exemption",
            name="msp",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
        ),
        migrations.AddField(
            model_name="exemption",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
            ),
        ),
        migrations.AddField(
            model_name="vatidcheck",
            name="msp",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
        ),
        migrations.AddField(
            model_name="vatidcheck",
            name="tenant",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="tenants.customer",
            ),
        ),
        migrations.AddConstraint(
            model_name="exemption",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends__isnull", True), ("ends__gt", models.F("begins")), _connector="OR"),
                name="receivables_exemption_span",
                violation_error_message="It ends before it begins.",
            ),
        ),
        migrations.AddConstraint(
            model_name="exemption",
            constraint=models.CheckConstraint(
                condition=models.Q(("ground", ""), _negated=True),
                name="receivables_exemption_has_ground",
                violation_error_message="Say why no tax is due: the invoice has to print it.",
            ),
        ),
        migrations.AddIndex(
            model_name="vatidcheck",
            index=models.Index(fields=["msp", "vat_id", "-asked_at"], name="receivables_vatidcheck_newest"),
        ),
        # Who was exempt stays so: the ground becomes an exemption from the beginning of time on.
        migrations.RunSQL(KEEP_EXEMPT, migrations.RunSQL.noop),
        migrations.RemoveField(
            model_name="billingprofile",
            name="exemption",
        ),
        migrations.RemoveField(
            model_name="billingprofile",
            name="is_exempt",
        ),
        migrations.RunSQL(counting(ALL_TAXES, TAXES_OF_LINES), counting(TAXES_OF_LINES, ALL_TAXES)),
        EnableRls("receivables_taxrule", tenant_column=None, msp_column=None, maintained=("select", "insert")),
        policy("receivables_taxrule", "msp_reads", "SELECT", MSP, f"msp_id IS NULL OR msp_id = {THIS_MSP}"),
        policy("receivables_taxrule", "msp_adds", "INSERT", MSP, check=f"msp_id = {THIS_MSP}"),
        policy("receivables_taxrule", "operator_reads", "SELECT", APP, f"{NO_PLACE} AND msp_id IS NULL"),
        policy("receivables_taxrule", "operator_adds", "INSERT", APP, check=f"{NO_PLACE} AND msp_id IS NULL"),
        migrations.RunSQL(
            f"GRANT INSERT ON receivables_taxrule TO {APP}, {MSP}",
            f"REVOKE INSERT ON receivables_taxrule FROM {APP}, {MSP}",
        ),
        EnableRls("receivables_exemption", tenant_column=None),
        EnableRls("receivables_vatidcheck", tenant_column=None),
        migrations.RunSQL(
            [
                f"REVOKE ALL ON receivables_exemption, receivables_vatidcheck FROM {APP}, {INGEST}",
                f"REVOKE DELETE ON receivables_exemption FROM {MSP}",
                f"REVOKE UPDATE, DELETE ON receivables_vatidcheck FROM {MSP}",
            ],
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON receivables_exemption, receivables_vatidcheck "
            f"TO {APP}, {MSP}, {INGEST}",
        ),
    ]
