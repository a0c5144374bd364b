from django.db import migrations

# Unless the operator has written another source meanwhile.
REWORD = """
UPDATE tenants_retentionrule
SET source = 'Directive 2002/58/EC, article 6(2); supervisory authorities have accepted three to six months',
    row_version = row_version + 1
WHERE source = 'Directive 2002/58/EC, article 6(2); supervisors took three to six months for normal'
"""


class Migration(migrations.Migration):
    dependencies = [("tenants", "0014_membership_row_version")]

    operations = [
        # The rules are the operator's to write, not the owner's: but for this.
        migrations.RunSQL(
            [
                "ALTER TABLE tenants_retentionrule NO FORCE ROW LEVEL SECURITY",
                REWORD,
                "ALTER TABLE tenants_retentionrule FORCE ROW LEVEL SECURITY",
            ],
            migrations.RunSQL.noop,
        ),
    ]
