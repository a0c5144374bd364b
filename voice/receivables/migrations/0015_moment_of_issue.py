"""When a document was issued: its date may be any day, earlier or later, that somebody chose."""

from django.db import migrations, models

# The database notes it, as it does the transaction of an entry: whoever issues cannot forget it.
STAMP = """
CREATE FUNCTION receivables_stamp_issue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.issued_at := CASE WHEN NEW.state = 'issued' THEN clock_timestamp() END;
    RETURN NEW;
END $$
"""
TRIGGER = """
CREATE TRIGGER stamp BEFORE INSERT OR UPDATE ON receivables_invoice
    FOR EACH ROW EXECUTE FUNCTION receivables_stamp_issue()
"""
# What is issued already was booked then; what came to nothing is on no account, and its date is all there is.
KNOWN = [
    "ALTER TABLE receivables_invoice DISABLE TRIGGER guard",
    """
    UPDATE receivables_invoice i SET issued_at = coalesce(
        (SELECT min(e.created_at) FROM receivables_entry e WHERE e.invoice_id = i.id),
        i.issued_on::timestamp AT TIME ZONE 'UTC')
     WHERE i.state = 'issued'
    """,
    "ALTER TABLE receivables_invoice ENABLE TRIGGER guard",
]


class Migration(migrations.Migration):
    dependencies = [("receivables", "0014_american_taxes")]

    operations = [
        migrations.AddField("invoice", "issued_at", models.DateTimeField(editable=False, null=True)),
        migrations.RunSQL(KNOWN, migrations.RunSQL.noop),
        migrations.RunSQL(STAMP, "DROP FUNCTION receivables_stamp_issue() CASCADE"),
        migrations.RunSQL(TRIGGER, migrations.RunSQL.noop),
    ]
