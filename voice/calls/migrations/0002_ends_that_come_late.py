from django.db import migrations, models

from portal.db.rls import INGEST

COLUMNS = "ended, end_unknown, last_seen, talk_ms, cause, reason"


class Migration(migrations.Migration):
    dependencies = [("calls", "0001_initial")]

    operations = [
        migrations.AddIndex(
            model_name="cdr",
            index=models.Index(fields=["call"], condition=models.Q(end_unknown=True), name="calls_cdr_no_end"),
        ),
        migrations.AddIndex(
            model_name="cdr",
            index=models.Index(fields=["call_id"], condition=models.Q(end_unknown=True), name="calls_cdr_no_end_sip"),
        ),
        # Calls stay as they were written, but for one thing, once: the end of a call whose end was not known.
        migrations.RunSQL(
            f"""
            GRANT UPDATE ({COLUMNS}) ON calls_cdr TO {INGEST};
            CREATE POLICY ingest_select ON calls_cdr FOR SELECT TO {INGEST}
                USING (end_unknown OR last_seen IS NOT NULL);
            CREATE POLICY ingest_update ON calls_cdr FOR UPDATE TO {INGEST}
                USING (end_unknown AND answered IS NOT NULL)
                WITH CHECK (NOT end_unknown AND last_seen IS NOT NULL AND ended >= answered);
            """,
            f"""
            DROP POLICY ingest_update ON calls_cdr;
            DROP POLICY ingest_select ON calls_cdr;
            REVOKE UPDATE ({COLUMNS}) ON calls_cdr FROM {INGEST};
            """,
        ),
    ]
