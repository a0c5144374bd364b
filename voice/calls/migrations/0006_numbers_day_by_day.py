import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, MSP, EnableRls

# The calls that are there already, counted as they would be when they are stored (`voice.calls.number_days`).
COUNT = """
INSERT INTO calls_numberday (tenant_id, msp_id, at, number, direction, calls, answered, talk_ms)
SELECT tenant_id, max(msp_id), date_trunc('day', invited, 'UTC'),
       CASE WHEN left(number, 1) = '+' AND length(number) BETWEEN 5 AND 16 THEN number ELSE '' END, direction,
       count(*), count(answered), sum(talk_ms)
  FROM (SELECT *, CASE WHEN side = 'called' THEN called
                       WHEN direction = 'in' THEN CASE WHEN disposition = 'not_ours' THEN '' ELSE called END
                       WHEN screening IN ('own', 'forwarded') THEN caller_sent
                       ELSE '' END AS number
          FROM calls_cdr) AS call
 GROUP BY 1, 3, 4, 5
"""


class Migration(migrations.Migration):
    dependencies = [
        ("calls", "0005_running_calls"),
        ("tenants", "0009_longest_call_of_all"),
    ]

    operations = [
        migrations.CreateModel(
            name="NumberDay",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField()),
                ("number", models.TextField(blank=True)),
                (
                    "direction",
                    models.TextField(
                        choices=[
                            ("out", "Outgoing"),
                            ("in", "Incoming"),
                            ("internal", "Internal"),
                            ("emergency", "Emergency"),
                        ]
                    ),
                ),
                ("calls", models.PositiveBigIntegerField(default=0)),
                ("answered", models.PositiveBigIntegerField(default=0)),
                ("talk_ms", models.PositiveBigIntegerField(default=0)),
                (
                    "msp",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.msp",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="tenants.customer",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("tenant", "at", "number", "direction"), name="calls_numberday_once")
                ],
            },
        ),
        # A row grows with nearly every call of its number: in the space beside it no index is touched for that.
        migrations.RunSQL("ALTER TABLE calls_numberday SET (fillfactor = 50)", migrations.RunSQL.noop),
        migrations.RunSQL(COUNT, migrations.RunSQL.noop),
        EnableRls("calls_numberday", ingest=("select", "insert", "update"), maintained=("select", "delete")),
        # What happened is written by ingest alone.
        migrations.RunSQL(
            f"REVOKE INSERT, UPDATE, DELETE ON calls_numberday FROM {APP}, {MSP}",
            f"GRANT INSERT, UPDATE, DELETE ON calls_numberday TO {APP}, {MSP}",
        ),
    ]
