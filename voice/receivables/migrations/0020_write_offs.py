"""What is written off settles its invoice, and entries that people book are taken back by entries that say why."""

from django.db import migrations, models
from django.db.models import Q

KINDS = [
    ("invoice", "Invoice"), ("credit_note", "Credit note"), ("payment", "Payment"),
    ("reversal", "Payment taken back"), ("fee", "Reminder fee"), ("write_off", "Written off"),
    ("correction", "Correction"),
]  # fmt: skip
# Of the same invoice and customer, and as much as the customer owes less by the entry.
WRITTEN_OFF = """
CREATE FUNCTION receivables_written_off() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM public.receivables_entry e WHERE e.id = NEW.entry_id AND e.invoice_id = NEW.invoice_id
                   AND e.tenant_id = NEW.tenant_id AND e.kind IN ('write_off', 'correction')) THEN
        RAISE EXCEPTION 'entry % writes nothing off invoice %', NEW.entry_id, NEW.invoice_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.amount IS DISTINCT FROM (SELECT sum(p.credit - p.debit) FROM public.receivables_posting p
            JOIN public.receivables_account a ON a.id = p.account_id
           WHERE p.entry_id = NEW.entry_id AND a.kind = 'receivable') THEN
        RAISE EXCEPTION 'entry % would settle %', NEW.entry_id, NEW.amount
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("receivables", "0019_first_bill_words")]

    operations = [
        migrations.AlterField("entry", "kind", models.TextField(choices=KINDS)),
        migrations.AddField(
            "entry",
            "corrects",
            models.OneToOneField(
                "receivables.entry", models.PROTECT, null=True, blank=True, related_name="corrected_by"
            ),
        ),
        migrations.AddField("entry", "reason", models.TextField(blank=True, default=""), preserve_default=False),
        migrations.AddConstraint(
            "entry",
            models.CheckConstraint(
                name="receivables_entry_has_reason",
                condition=Q(corrects__isnull=True) & ~Q(kind="write_off") | ~Q(reason=""),
                violation_error_message="Say why.",
            ),
        ),
        migrations.AddField(
            "allocation",
            "entry",
            models.OneToOneField("receivables.entry", models.PROTECT, null=True, blank=True, related_name="allocation"),
        ),
        migrations.RemoveConstraint("allocation", "receivables_allocation_sign"),
        migrations.RemoveConstraint("allocation", "receivables_allocation_one_origin"),
        migrations.AddConstraint(
            "allocation",
            models.CheckConstraint(
                condition=Q(reversal__isnull=True, amount__gt=0)
                | Q(reversal__isnull=True, entry__isnull=False, amount__lt=0)
                | Q(payment__isnull=False, reversal__isnull=False, credit_note__isnull=True, amount__lt=0)
                | Q(payment__isnull=False, reversal__isnull=True, credit_note__isnull=False, amount__lt=0),
                name="receivables_allocation_sign",
            ),
        ),
        migrations.AddConstraint(
            "allocation",
            models.CheckConstraint(
                condition=Q(payment__isnull=False, credit_note__isnull=True, entry__isnull=True)
                | Q(payment__isnull=True, credit_note__isnull=False, entry__isnull=True)
                | Q(payment__isnull=False, credit_note__isnull=False, entry__isnull=True, amount__lt=0)
                | Q(payment__isnull=True, credit_note__isnull=True, reversal__isnull=True, entry__isnull=False),
                name="receivables_allocation_one_origin",
            ),
        ),
        migrations.RunSQL(WRITTEN_OFF, "DROP FUNCTION receivables_written_off() CASCADE"),
        migrations.RunSQL(
            "CREATE CONSTRAINT TRIGGER written_off AFTER INSERT ON receivables_allocation"
            " DEFERRABLE INITIALLY IMMEDIATE FOR EACH ROW WHEN (NEW.entry_id IS NOT NULL)"
            " EXECUTE FUNCTION receivables_written_off()",
            migrations.RunSQL.noop,
        ),
    ]
