from django.db import migrations, models

CLASSES = [
    ("calls", "Call records"),
    ("charges", "Charges and costs of calls"),
    ("emergency", "Records of emergency calls"),
    ("minutes", "Counts by minute"),
    ("counts", "Counts by hour and day"),
    ("live", "Calls in progress"),
    ("events", "Alarms that are over"),
    ("revisions", "Old configuration of the SBCs"),
    ("quarantine", "Records kept aside"),
    ("feed", "Messages to other billing systems"),
    ("jobs", "Imports, exports and their files"),
    ("audit", "Audit log"),
]
RULE = """
INSERT INTO tenants_retentionrule (data_class, country, days, reason, source, row_version)
VALUES ('feed', '', 400, 'Send again what another billing system lost, until its year is closed. They hold no telephone'
        ' numbers, only which calls were told when.', 'The operator''s own choice', 1)
ON CONFLICT (data_class, country) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0007_retention_of_charges")]

    operations = [
        migrations.AlterField("erasureline", "data_class", models.TextField(choices=CLASSES)),
        migrations.AlterField("retentionrule", "data_class", models.TextField(choices=CLASSES, verbose_name="what")),
        # The rules are the operator's to write, not the owner's: but for this one.
        migrations.RunSQL(
            [
                "ALTER TABLE tenants_retentionrule NO FORCE ROW LEVEL SECURITY",
                RULE,
                "ALTER TABLE tenants_retentionrule FORCE ROW LEVEL SECURITY",
            ],
            migrations.RunSQL.noop,
        ),
    ]
