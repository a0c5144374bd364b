"""Money of payments that went back, and how far allocations may go."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, MSP, TENANT, EnableRls

# Who allocates holds the lock of the customer's account; so what is summed up here stands still.
ALLOCATED = """
CREATE FUNCTION receivables_allocated() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    settled numeric; total numeric;
BEGIN
    SELECT coalesce(sum(amount), 0) INTO settled FROM public.receivables_allocation WHERE invoice_id = NEW.invoice_id;
    SELECT i.total INTO total FROM public.receivables_invoice i WHERE i.id = NEW.invoice_id;
    IF settled < 0 OR settled > total THEN
        RAISE EXCEPTION 'invoice % of % would be settled by %', NEW.invoice_id, total, settled
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.payment_id IS NOT NULL THEN
        SELECT coalesce(sum(amount), 0) INTO settled
          FROM public.receivables_allocation WHERE payment_id = NEW.payment_id;
        SELECT p.amount - coalesce((SELECT sum(amount) FROM public.receivables_reversal WHERE payment_id = p.id), 0)
          INTO total FROM public.receivables_payment p WHERE p.id = NEW.payment_id;
        IF settled < 0 OR settled > total THEN
            RAISE EXCEPTION 'payment % has % and would settle %', NEW.payment_id, total, settled
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN NULL;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [
        ("receivables", "0003_tax_rates"),
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="Reversal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("refund", "Refund"),
                            ("chargeback", "Chargeback"),
                            ("returned", "Returned by the bank"),
                        ]
                    ),
                ),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                ("booked_on", models.DateField(verbose_name="booked on")),
                (
                    "reference",
                    models.TextField(
                        validators=[django.core.validators.MaxLengthValidator(140)], verbose_name="reference"
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
        ),
        migrations.RemoveConstraint(
            model_name="allocation",
            name="receivables_allocation_is_positive",
        ),
        migrations.AlterField(
            model_name="entry",
            name="kind",
            field=models.TextField(
                choices=[
                    ("invoice", "Invoice"),
                    ("credit_note", "Credit note"),
                    ("payment", "Payment"),
                    ("reversal", "Payment taken back"),
                    ("fee", "Reminder fee"),
                    ("correction", "Correction"),
                ]
            ),
        ),
        migrations.AddField(
            model_name="reversal",
            name="msp",
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
        ),
        migrations.AddField(
            model_name="reversal",
            name="payment",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="reversals", to="receivables.payment"
            ),
        ),
        migrations.AddField(
            model_name="reversal",
            name="tenant",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
            ),
        ),
        migrations.AddField(
            model_name="allocation",
            name="reversal",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="allocations",
                to="receivables.reversal",
            ),
        ),
        migrations.AddField(
            model_name="entry",
            name="reversal",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="entries",
                to="receivables.reversal",
            ),
        ),
        migrations.AddConstraint(
            model_name="allocation",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("amount__gt", 0), ("reversal__isnull", True)),
                    models.Q(("amount__lt", 0), ("payment__isnull", False), ("reversal__isnull", False)),
                    _connector="OR",
                ),
                name="receivables_allocation_sign",
            ),
        ),
        migrations.AddConstraint(
            model_name="entry",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reversal__isnull", False)),
                fields=("reversal",),
                name="receivables_entry_reversal_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="reversal",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)),
                name="receivables_reversal_is_positive",
                violation_error_message="What goes back is more than nothing.",
            ),
        ),
        migrations.AddConstraint(
            model_name="reversal",
            constraint=models.UniqueConstraint(
                fields=("payment", "reference"),
                name="receivables_reversal_once",
                violation_error_message="This is booked already.",
            ),
        ),
        EnableRls("receivables_reversal", tenant_column=None, app_select=f"tenant_id = {TENANT}"),
        migrations.RunSQL(
            [
                f"REVOKE ALL ON receivables_reversal FROM {INGEST}",
                f"REVOKE INSERT, UPDATE, DELETE ON receivables_reversal FROM {APP}",
                f"REVOKE UPDATE, DELETE ON receivables_reversal FROM {MSP}",
                "CREATE TRIGGER once BEFORE UPDATE OR DELETE ON receivables_reversal"
                " FOR EACH ROW EXECUTE FUNCTION receivables_refuse_change()",
                "CREATE TRIGGER kept BEFORE TRUNCATE ON receivables_reversal"
                " FOR EACH STATEMENT EXECUTE FUNCTION receivables_refuse_change()",
            ],
            [
                "DROP TRIGGER once ON receivables_reversal",
                "DROP TRIGGER kept ON receivables_reversal",
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON receivables_reversal TO {APP}, {MSP}, {INGEST}",
            ],
        ),
        migrations.RunSQL(ALLOCATED, "DROP FUNCTION receivables_allocated() CASCADE"),
        migrations.RunSQL(
            "CREATE CONSTRAINT TRIGGER allocated AFTER INSERT ON receivables_allocation"
            " DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW EXECUTE FUNCTION receivables_allocated()",
            migrations.RunSQL.noop,
        ),
    ]
