"""A credit note settles the invoice that it takes back; what payments had settled of that is on the account again."""

from django.db import migrations, models
from django.db.models import Q

# Who allocates holds the lock of the customer's account; so what is summed up here stands still.
ALLOCATED = """
CREATE OR REPLACE FUNCTION receivables_allocated() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    invoice public.receivables_invoice; payment public.receivables_payment; note public.receivables_invoice;
    settled numeric; total numeric;
BEGIN
    SELECT * INTO invoice FROM public.receivables_invoice WHERE id = NEW.invoice_id;
    SELECT coalesce(sum(amount), 0) INTO settled FROM public.receivables_allocation WHERE invoice_id = NEW.invoice_id;
    IF settled < 0 OR settled > invoice.total THEN
        RAISE EXCEPTION 'invoice % of % would be settled by %', NEW.invoice_id, invoice.total, settled
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF (NEW.msp_id, NEW.tenant_id) IS DISTINCT FROM (invoice.msp_id, invoice.tenant_id) THEN
        RAISE EXCEPTION 'invoice % is another customer''s', NEW.invoice_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF NEW.payment_id IS NOT NULL THEN
        SELECT * INTO payment FROM public.receivables_payment WHERE id = NEW.payment_id;
        IF (payment.tenant_id, payment.entity_id, payment.currency)
            IS DISTINCT FROM (invoice.tenant_id, invoice.entity_id, invoice.currency) THEN
            RAISE EXCEPTION 'payment % is not for invoice %', NEW.payment_id, NEW.invoice_id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        SELECT coalesce(sum(amount), 0) INTO settled
          FROM public.receivables_allocation WHERE payment_id = NEW.payment_id;
        SELECT payment.amount - coalesce(sum(amount), 0) INTO total
          FROM public.receivables_reversal WHERE payment_id = NEW.payment_id;
        IF settled < 0 OR settled > total THEN
            RAISE EXCEPTION 'payment % has % and would settle %', NEW.payment_id, total, settled
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    IF NEW.credit_note_id IS NOT NULL THEN
        SELECT * INTO note FROM public.receivables_invoice WHERE id = NEW.credit_note_id;
        IF (note.corrects_id, note.state) IS DISTINCT FROM (NEW.invoice_id, 'issued') THEN
            RAISE EXCEPTION 'credit note % does not take back invoice %', NEW.credit_note_id, NEW.invoice_id
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        -- What it settles itself, or what it takes the place of.
        SELECT abs(sum(amount)) INTO settled FROM public.receivables_allocation
         WHERE credit_note_id = NEW.credit_note_id AND (payment_id IS NULL) = (NEW.payment_id IS NULL);
        IF settled > note.total THEN
            RAISE EXCEPTION 'credit note % of % would settle %', NEW.credit_note_id, note.total, settled
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
    END IF;
    RETURN NULL;
END $$
"""


class Migration(migrations.Migration):
    dependencies = [("receivables", "0015_moment_of_issue")]

    operations = [
        migrations.RemoveConstraint("allocation", "receivables_allocation_sign"),
        migrations.RemoveConstraint("allocation", "receivables_allocation_one_origin"),
        migrations.AddConstraint(
            "allocation",
            models.CheckConstraint(
                condition=Q(reversal__isnull=True, amount__gt=0)
                | Q(payment__isnull=False, reversal__isnull=False, credit_note__isnull=True, amount__lt=0)
                | Q(payment__isnull=False, reversal__isnull=True, credit_note__isnull=False, amount__lt=0),
                name="receivables_allocation_sign",
            ),
        ),
        migrations.AddConstraint(
            "allocation",
            models.CheckConstraint(
                condition=Q(payment__isnull=False, credit_note__isnull=True)
                | Q(payment__isnull=True, credit_note__isnull=False)
                | Q(payment__isnull=False, credit_note__isnull=False, amount__lt=0),
                name="receivables_allocation_one_origin",
            ),
        ),
        migrations.RunSQL(ALLOCATED, migrations.RunSQL.noop),
    ]
