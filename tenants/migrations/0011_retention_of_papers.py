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
    ("vouchers", "Records of banks and cards, carriers' invoices"),
    ("letters", "Reminders, questions about bills, ended contracts"),
    ("jobs", "Imports, exports and their files"),
    ("access", "Sign-ins and invitations that are over"),
    ("audit", "Audit log"),
]
# What, country, days, why so long, source. Years are counted from the end of the calendar year; eight have 2,922 days.
RULES = [
    ("unbooked", "", 400, "Find a payment that was overlooked until the year is closed. They name people who may be"
     " no customers.", "The operator's own choice; Regulation (EU) 2016/679, article 5(1)(c) and (e)"),
    ("vouchers", "", 3653, "They show that what was booked is true. Ten years are the longest that we know of, and what"
     " companies in the EU's one-stop shop are asked for.",
     "Directive 2006/112/EC, article 369k(2); Code de commerce L123-22; article 958f OR"),
    ("vouchers", "DE", 2922, "They show that what was booked is true: eight years from the end of the year.",
     "Section 147(1) no. 4, (3), (4) AO and section 257(1) no. 4, (4), (5) HGB, as of 1 January 2025 (BEG IV)"),
    ("vouchers", "AT", 2557, "They show that what was booked is true: seven years from the end of the year.",
     "Section 132(1) BAO"),
    ("vouchers", "GB", 2192, "They show that what was booked is true: six years.", "HMRC, VAT Notice 700/21"),
    ("letters", "", 2192, "Commercial letters, which settle what was agreed and demanded: six years from the end of the"
     " year.", "Section 257(1) nos. 2 and 3, (4), (5) HGB; elsewhere the operator's own choice"),
    ("letters", "AT", 2557, "Business papers that matter for taxes: seven years from the end of the year.",
     "Section 132(1) BAO"),
    ("access", "", 90, "Find out what happened when an account was misused.", "The operator's own choice"),
]  # fmt: skip
INSERT = """
INSERT INTO tenants_retentionrule (data_class, country, days, reason, source, row_version)
VALUES (%s, %s, %s, %s, %s, 1) ON CONFLICT (data_class, country) DO NOTHING
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0010_channel_limits")]

    operations = [
        migrations.AlterField("erasureline", "data_class", models.TextField(choices=CLASSES)),
        migrations.AlterField("retentionrule", "data_class", models.TextField(choices=CLASSES, verbose_name="what")),
        migrations.AlterField("retentionrule", "country", models.TextField(blank=True, verbose_name="country")),
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
