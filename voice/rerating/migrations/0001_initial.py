import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, MSP, EnableRls

TABLES = "rerating_adjustment, rerating_costadjustment"
DIRECTIONS = [("out", "Outgoing"), ("in", "Incoming"), ("internal", "Internal"), ("emergency", "Emergency")]
# An entry that an invoice bears goes to no other one; a draft that is dropped gives it back first.
ONE_INVOICE = """
CREATE FUNCTION rerating_one_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.invoice_id <> NEW.invoice_id THEN
        RAISE EXCEPTION 'adjustment % is on invoice % already', OLD.id, OLD.invoice_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$
"""


def owner(model):
    """Return the key to a table that no constraint binds."""
    return models.ForeignKey(
        db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to=model
    )


def moved():
    """Return what both kinds of entry have."""
    return [
        ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
        ("invited", models.DateTimeField()),
        ("call", models.UUIDField()),
        ("answered", models.DateTimeField()),
        ("direction", models.TextField(choices=DIRECTIONS)),
        ("destination", models.TextField(blank=True)),
        ("currency", models.TextField(blank=True)),
        ("calls", models.SmallIntegerField(default=0)),
        ("seconds", models.IntegerField(default=0)),
        ("billed", models.IntegerField(default=0)),
        ("micros", models.BigIntegerField()),
        ("proposal_id", models.BigIntegerField()),
        ("made_at", models.DateTimeField()),
        ("msp", owner("tenants.msp")),
        ("tenant", owner("tenants.customer")),
    ]


class Migration(migrations.Migration):
    initial = True

    dependencies = [("tenants", "0005_retention")]

    operations = [
        migrations.CreateModel(
            name="Adjustment",
            fields=[*moved(), ("invoice_id", models.BigIntegerField(null=True, verbose_name="invoice"))],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("invoice_id", None)),
                        fields=["tenant", "answered"],
                        name="rerating_adjustment_open",
                    ),
                    models.Index(
                        condition=models.Q(("invoice_id__isnull", False)),
                        fields=["invoice_id"],
                        name="rerating_adjustment_bill",
                    ),
                    models.Index(fields=["proposal_id"], name="rerating_adjustment_run"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "invited", "call", "proposal_id", "destination", "currency"),
                        name="rerating_adjustment_once",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CostAdjustment",
            fields=[*moved(), ("trunk", models.BigIntegerField())],
            options={
                "indexes": [
                    models.Index(fields=["msp", "answered"], name="rerating_costadjustment_msp"),
                    models.Index(fields=["proposal_id"], name="rerating_costadjustment_run"),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("tenant", "invited", "call", "trunk", "proposal_id", "destination", "currency"),
                        name="rerating_costadjustment_once",
                    )
                ],
            },
        ),
        EnableRls("rerating_adjustment", ingest=("select", "insert"), maintained=("select", "delete")),
        EnableRls(
            "rerating_costadjustment", tenant_column=None, ingest=("select", "insert"), maintained=("select", "delete")
        ),
        # Entries are written by ingest alone and never changed; an invoice only says that it bears them.
        migrations.RunSQL(
            f"""
            REVOKE INSERT, UPDATE, DELETE ON {TABLES} FROM {APP}, {MSP};
            REVOKE UPDATE, DELETE ON {TABLES} FROM {INGEST};
            GRANT UPDATE (invoice_id) ON rerating_adjustment TO {MSP};
            """,
            f"GRANT INSERT, UPDATE, DELETE ON {TABLES} TO {APP}, {MSP}, {INGEST}",
        ),
        migrations.RunSQL(
            [
                ONE_INVOICE,
                "CREATE TRIGGER one_invoice BEFORE UPDATE ON rerating_adjustment"
                " FOR EACH ROW EXECUTE FUNCTION rerating_one_invoice()",
            ],
            [
                "DROP TRIGGER one_invoice ON rerating_adjustment",
                "DROP FUNCTION rerating_one_invoice()",
            ],
        ),
    ]
