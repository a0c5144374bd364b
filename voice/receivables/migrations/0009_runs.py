import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, TENANT, EnableRls

TABLES = ("invoicerun", "runcustomer", "runfinding", "billedcharge")
# A customer may know which of its calls are on which line of its issued invoices.
BILLED = f"tenant_id = {TENANT} AND line_id IN (SELECT id FROM receivables_invoiceline)"  # noqa: S608
# One look for all rows of a statement: a million calls are written at once.
BILLED_GUARD = """
CREATE FUNCTION receivables_billed_guard() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    wrong bigint;
BEGIN
    SELECT r.line_id INTO wrong
      FROM (SELECT DISTINCT line_id, tenant_id, msp_id FROM touched) r
      LEFT JOIN public.receivables_invoiceline l ON l.id = r.line_id
      LEFT JOIN public.receivables_invoice i ON i.id = l.invoice_id
     WHERE i.state IS DISTINCT FROM 'draft' OR l.tenant_id <> r.tenant_id OR l.msp_id <> r.msp_id
     LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'the calls of line % are fixed', wrong USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""
GUARDS = [
    "CREATE TRIGGER guard_insert AFTER INSERT ON receivables_billedcharge REFERENCING NEW TABLE AS touched"
    " FOR EACH STATEMENT EXECUTE FUNCTION receivables_billed_guard()",
    "CREATE TRIGGER guard_update AFTER UPDATE ON receivables_billedcharge REFERENCING NEW TABLE AS touched"
    " FOR EACH STATEMENT EXECUTE FUNCTION receivables_billed_guard()",
    "CREATE TRIGGER guard_delete AFTER DELETE ON receivables_billedcharge REFERENCING OLD TABLE AS touched"
    " FOR EACH STATEMENT EXECUTE FUNCTION receivables_billed_guard()",
    "CREATE TRIGGER kept BEFORE TRUNCATE ON receivables_billedcharge"
    " FOR EACH STATEMENT EXECUTE FUNCTION receivables_refuse_change()",
]


def privileges(table: str) -> migrations.RunSQL:
    """Return what the roles may do: the MSP works, customers read what a policy lets them."""
    name = f"receivables_{table}"
    return migrations.RunSQL(
        f"REVOKE ALL ON {name} FROM {INGEST}; REVOKE INSERT, UPDATE, DELETE ON {name} FROM {APP}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {APP}, {INGEST}",
    )


class Migration(migrations.Migration):
    dependencies = [
        ("receivables", "0008_basis"),
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="InvoiceRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("begins", models.DateField(verbose_name="from")),
                ("ends", models.DateField(verbose_name="until")),
                (
                    "state",
                    models.TextField(
                        choices=[("collecting", "Collecting"), ("ready", "To be approved"), ("issuing", "Issuing")],
                        default="collecting",
                    ),
                ),
                ("actor", models.JSONField(default=dict)),
                ("job_id", models.UUIDField(null=True)),
                ("touched_at", models.DateTimeField(auto_now_add=True)),
                ("collected_at", models.DateTimeField(null=True)),
                ("issue_on", models.DateField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "msp",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="invoice_runs", to="tenants.msp"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RunCustomer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("waiting", "Waiting"),
                            ("nothing", "Nothing to bill"),
                            ("left_out", "Left out"),
                            ("drafted", "To be approved"),
                            ("approved", "Approved"),
                            ("issued", "Issued"),
                        ],
                        default="waiting",
                    ),
                ),
                ("currency", models.TextField(blank=True)),
                ("net", models.BigIntegerField(null=True)),
                ("before", models.BigIntegerField(null=True)),
                ("calls", models.PositiveBigIntegerField(default=0)),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="receivables.invoice",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="customers",
                        to="receivables.invoicerun",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RunFinding",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("code", models.TextField()),
                (
                    "level",
                    models.TextField(
                        choices=[("error", "Left out"), ("warning", "To be looked at"), ("note", "Good to know")]
                    ),
                ),
                ("facts", models.JSONField(default=dict)),
                ("ticked_at", models.DateTimeField(null=True)),
                ("ticked_by", models.TextField(blank=True)),
                (
                    "customer",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="receivables.runcustomer",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="findings",
                        to="receivables.invoicerun",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="BilledCharge",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "tenant_id", "invited", "id", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("invited", models.DateTimeField()),
                ("id", models.UUIDField()),
                ("micros", models.BigIntegerField()),
                ("allowance", models.TextField(blank=True)),
                ("covered", models.PositiveIntegerField(default=0)),
                ("off", models.BigIntegerField(default=0)),
                (
                    "line",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calls",
                        to="receivables.invoiceline",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tenants.msp",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tenants.customer",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["line", "invited", "id"], name="receivables_billed_line")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("off__gte", 0), ("off__lte", models.F("micros"))),
                        name="receivables_billed_off",
                    )
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="invoicerun",
            constraint=models.UniqueConstraint(
                fields=("msp", "begins"),
                name="receivables_run_month_once",
                violation_error_message="This month has its run already: open it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicerun",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state__in", ("collecting", "issuing"))),
                fields=("msp",),
                name="receivables_run_one_at_work",
                violation_error_message="Another run is at work: wait until it is through.",
            ),
        ),
        migrations.AddConstraint(
            model_name="invoicerun",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends__gt", models.F("begins"))), name="receivables_run_period"
            ),
        ),
        migrations.AddIndex(
            model_name="runcustomer",
            index=models.Index(fields=["run", "state"], name="receivables_runcustomer_state"),
        ),
        migrations.AddConstraint(
            model_name="runcustomer",
            constraint=models.UniqueConstraint(fields=("run", "tenant"), name="receivables_runcustomer_once"),
        ),
        migrations.AddConstraint(
            model_name="runfinding",
            constraint=models.UniqueConstraint(
                fields=("run", "customer", "code"), name="receivables_runfinding_once", nulls_distinct=False
            ),
        ),
        EnableRls("receivables_invoicerun", tenant_column=None),
        EnableRls("receivables_runcustomer", tenant_column=None),
        EnableRls("receivables_runfinding", tenant_column=None),
        EnableRls("receivables_billedcharge", tenant_column=None, app_select=BILLED, maintained=("select",)),
        *(privileges(table) for table in TABLES),
        migrations.RunSQL(BILLED_GUARD, "DROP FUNCTION receivables_billed_guard() CASCADE"),
        *(migrations.RunSQL(made, migrations.RunSQL.noop) for made in GUARDS),
    ]
