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
    ("unbooked", "Bank and card details that became no payment"),
    ("books", "Books: invoices, payments and the ledger"),
    ("vouchers", "Records of banks, cards and invoice runs, carriers' invoices"),
    ("letters", "Reminders, questions about bills, ended contracts"),
    ("jobs", "Imports, exports and their files"),
    ("access", "Sign-ins and invitations that are over"),
    ("audit", "Audit log"),
]
# What, country, days, why so long, source. Years are counted from the end of the calendar year.
RULES = [
    ("books", "", 3653, "They say what was earned and owed. Ten years are the longest that we know of, and what"
     " companies in the EU's one-stop shop are asked for.",
     "Directive 2006/112/EC, article 369k(2); Code de commerce L123-22; article 958f OR"),
    ("books", "DE", 3653, "Ten years from the end of the year. An invoice would be asked for eight, but stays as long"
     " as the entry that it explains.",
     "Section 147(1) nos. 1 and 4, (3), (4) AO and section 257(1) nos. 1 and 4, (4), (5) HGB, as of 1 January 2025"),
    ("books", "AT", 2557, "Books and what belongs to them: seven years from the end of the year.",
     "Section 132(1) BAO"),
    ("books", "GB", 2192, "Records of what was sold and taxed: six years.", "HMRC, VAT Notice 700/21"),
]  # fmt: skip
INSERT = """
INSERT INTO tenants_retentionrule (data_class, country, days, reason, source, row_version)
VALUES (%s, %s, %s, %s, %s, 1) ON CONFLICT (data_class, country) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0012_public_networks_reach_nodes")]

    operations = [
        migrations.AlterField("erasureline", "data_class", models.TextField(choices=CLASSES)),
        migrations.AlterField("retentionrule", "data_class", models.TextField(choices=CLASSES, verbose_name="what")),
        # The rules are the operator's to write, not the owner's: but for these.
        migrations.RunSQL(
            [
                "ALTER TABLE tenants_retentionrule NO FORCE ROW LEVEL SECURITY",
                *((INSERT, rule) for rule in RULES),
                "ALTER TABLE tenants_retentionrule FORCE ROW LEVEL SECURITY",
            ],
            migrations.RunSQL.noop,
        ),
    ]
