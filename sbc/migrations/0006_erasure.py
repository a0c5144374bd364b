from django.db import migrations

from portal.db.rls import OWNER

# What the monthly erasure has to see and to take away; calls, counts and revisions are the owner's to erase already.
TABLES = ("calls_livecall", "core_auditentry", "core_job", "core_jobfile", "sbc_alarm", "sbc_deployment",
          "sbc_quarantinedrecord")  # fmt: skip
READ_BEFORE = ("core_job",)


def policies(table):
    for command in ("SELECT", "DELETE"):
        if command == "SELECT" and table in READ_BEFORE:
            continue
        name = f"erasure_{command.lower()}"
        yield migrations.RunSQL(
            f'CREATE POLICY "{name}" ON "{table}" FOR {command} TO {OWNER} USING (true)',
            f'DROP POLICY "{name}" ON "{table}"',
        )


class Migration(migrations.Migration):
    dependencies = [
        ("sbc", "0005_alarm_kinds"),
        ("calls", "0002_ends_that_come_late"),
        ("core", "0002_row_level_security"),
        ("tenants", "0005_retention"),
    ]

    operations = [operation for table in TABLES for operation in policies(table)]
