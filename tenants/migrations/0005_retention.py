import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, MSP, TENANT, THIS_MSP, EnableRls

# The operator's console: neither a customer's portal nor an MSP's.
NO_PLACE = f"{TENANT} IS NULL AND {THIS_MSP} IS NULL"
CHOICE = "The operator's own choice"
# What, country, days, why so long, source.
RULES = [
    ("calls", "", 180, "Long enough to send a bill and to settle a dispute about it.",
     "Directive 2002/58/EC, article 6(2); supervisors took three to six months for normal"),
    ("calls", "US", 549, "Carriers have to keep toll records for 18 months.", "47 CFR 42.6"),
    ("emergency", "", 30, "Who called for help, and from where, is kept only to follow up a call that went wrong.",
     "Regulation (EU) 2016/679, article 5(1)(c) and (e)"),
    ("minutes", "", 62, "Draw the lines of the last weeks. They hold no telephone numbers.", CHOICE),
    ("counts", "", 1096, "Compare with the years before. They hold no telephone numbers.", CHOICE),
    ("live", "", 2, "A call leaves this list when it ends; what stays was left over by an SBC.", CHOICE),
    ("events", "", 180, "Explain what went wrong as long as the calls are kept that it touched.", CHOICE),
    ("revisions", "", 180, "Explain how a call was routed as long as the call is kept.", CHOICE),
    ("revisions", "US", 549, "Explain how a call was routed as long as the call is kept.", CHOICE),
    ("quarantine", "", 180, "As long as the call records that they may become, from the day of the decision.", CHOICE),
    ("jobs", "", 30, "Files of exports hold call records: fetch them within a month.", CHOICE),
    ("audit", "", 1096, "Show who did what until claims end.",
     "Usual limitation of claims, for example section 195 BGB"),
]  # fmt: skip


def seed(apps, schema_editor):
    rule = apps.get_model("tenants", "RetentionRule")
    for data_class, country, days, reason, source in RULES:
        rule(data_class=data_class, country=country, days=days, reason=reason, source=source).save()


def policy(table, name, command, roles, using="", check=""):
    conditions = (f" USING ({using})" if using else "") + (f" WITH CHECK ({check})" if check else "")
    return migrations.RunSQL(
        f'CREATE POLICY "{name}" ON "{table}" FOR {command} TO {roles}{conditions}',
        f'DROP POLICY "{name}" ON "{table}"',
    )


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0004_operator_tokens"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField(null=True)),
                ("asked_by", models.TextField()),
                ("started_at", models.DateTimeField()),
                ("finished_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("error", ""), ("month__isnull", False)),
                        fields=("month",),
                        name="tenants_erasure_once_a_month",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="ErasureLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "data_class",
                    models.TextField(
                        choices=[
                            ("calls", "Call records"),
                            ("emergency", "Records of emergency calls"),
                            ("minutes", "Counts by minute"),
                            ("counts", "Counts by hour and day"),
                            ("live", "Calls in progress"),
                            ("events", "Alarms that are over"),
                            ("revisions", "Old configuration of the SBCs"),
                            ("quarantine", "Records kept aside"),
                            ("jobs", "Imports, exports and their files"),
                            ("audit", "Audit log"),
                        ]
                    ),
                ),
                ("table", models.TextField()),
                ("country", models.TextField(blank=True)),
                ("days", models.PositiveIntegerField()),
                ("before", models.DateTimeField()),
                ("rows_before", models.PositiveBigIntegerField()),
                ("rows_removed", models.PositiveBigIntegerField()),
                ("rows_held", models.PositiveBigIntegerField()),
                ("rows_after", models.PositiveBigIntegerField()),
                (
                    "erasure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="tenants.erasure"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.msp",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RetentionRule",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "data_class",
                    models.TextField(
                        choices=[
                            ("calls", "Call records"),
                            ("emergency", "Records of emergency calls"),
                            ("minutes", "Counts by minute"),
                            ("counts", "Counts by hour and day"),
                            ("live", "Calls in progress"),
                            ("events", "Alarms that are over"),
                            ("revisions", "Old configuration of the SBCs"),
                            ("quarantine", "Records kept aside"),
                            ("jobs", "Imports, exports and their files"),
                            ("audit", "Audit log"),
                        ],
                        verbose_name="what",
                    ),
                ),
                ("country", models.TextField(blank=True, verbose_name="country of the customer")),
                ("days", models.PositiveIntegerField(verbose_name="days")),
                (
                    "reason",
                    models.TextField(
                        validators=[django.core.validators.MaxLengthValidator(500)], verbose_name="why so long"
                    ),
                ),
                (
                    "source",
                    models.TextField(
                        validators=[django.core.validators.MaxLengthValidator(300)], verbose_name="source"
                    ),
                ),
                ("row_version", models.PositiveIntegerField(default=1, editable=False)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("data_class", "country"),
                        name="tenants_retentionrule_once",
                        violation_error_message="There is a rule for this data and country already.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("country__regex", "^([A-Z]{2})?$")),
                        name="tenants_retentionrule_country_shape",
                        violation_error_message="Choose a country of the list.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("days__gte", 1), ("days__lte", 4000)),
                        name="tenants_retentionrule_days",
                        violation_error_message="Keep data for 1 to 4,000 days.",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LegalHold",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("call", models.UUIDField(blank=True, null=True, verbose_name="one call only")),
                (
                    "case",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(100)], verbose_name="case"),
                ),
                (
                    "reason",
                    models.TextField(
                        validators=[django.core.validators.MaxLengthValidator(1000)], verbose_name="reason"
                    ),
                ),
                ("review", models.DateField(verbose_name="look at it again on")),
                ("placed_at", models.DateTimeField(auto_now_add=True)),
                ("released_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("released_for", models.TextField(blank=True, editable=False)),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.msp",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("released_at", None)), fields=["tenant"], name="tenants_legalhold_open"
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("released_at", None)),
                        fields=("tenant", "call", "case"),
                        name="tenants_legalhold_once",
                        nulls_distinct=False,
                        violation_error_message="This case holds the same data already.",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="customer",
            name="hide_numbers",
            field=models.BooleanField(
                default=False, editable=False, verbose_name="hide the last 3 digits of numbers in call lists"
            ),
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
        # Everybody may know how long things are kept; the operator says so.
        EnableRls("tenants_retentionrule", tenant_column=None, msp_column=None, maintained=("select",)),
        policy("tenants_retentionrule", "read", "SELECT", f"{APP}, {MSP}, {INGEST}", "true"),
        policy("tenants_retentionrule", "operator_adds", "INSERT", APP, check=NO_PLACE),
        policy("tenants_retentionrule", "operator_changes", "UPDATE", APP, NO_PLACE, NO_PLACE),
        policy("tenants_retentionrule", "operator_removes", "DELETE", APP, NO_PLACE),
        # A customer need not know of a case in which its data is held.
        EnableRls("tenants_legalhold", tenant_column=None, maintained=("select",)),
        migrations.RunSQL(
            f"REVOKE DELETE ON tenants_legalhold FROM {APP}, {MSP}, {INGEST}",
            f"GRANT DELETE ON tenants_legalhold TO {APP}, {MSP}, {INGEST}",
        ),
        # The erasure works as the owner of the tables; what it did, nobody changes.
        EnableRls("tenants_erasure", tenant_column=None, msp_column=None, maintained=("select", "insert", "update")),
        policy("tenants_erasure", "read", "SELECT", f"{APP}, {MSP}", "true"),
        EnableRls("tenants_erasureline", tenant_column=None, maintained=("select", "insert")),
        policy("tenants_erasureline", "operator", "SELECT", APP, NO_PLACE),
        migrations.RunSQL(
            f"REVOKE INSERT, UPDATE, DELETE ON tenants_erasure, tenants_erasureline FROM {APP}, {MSP}, {INGEST}",
            f"GRANT INSERT, UPDATE, DELETE ON tenants_erasure, tenants_erasureline TO {APP}, {MSP}, {INGEST}",
        ),
    ]
