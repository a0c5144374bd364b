from django.db import migrations

from portal.db.rls import APP, TENANT, THIS_MSP, AppendOnly, EnableRls

# The operator's console: no tenant and no MSP is chosen.
NO_PLACE = f"{TENANT} IS NULL AND {THIS_MSP} IS NULL"
OPERATORS_OWN = f"{NO_PLACE} AND tenant_id IS NULL AND msp_id IS NULL"


def operator(table: str, *commands: str) -> list[migrations.RunSQL]:
    made = []
    for command in commands:
        using = "" if command == "INSERT" else f" USING ({OPERATORS_OWN})"
        check = f" WITH CHECK ({OPERATORS_OWN})" if command in ("INSERT", "UPDATE") else ""
        name = f"operator_{command.lower()}"
        made.append(
            migrations.RunSQL(
                f'CREATE POLICY "{name}" ON "{table}" FOR {command} TO {APP}{using}{check}',
                f'DROP POLICY "{name}" ON "{table}"',
            )
        )
    return made


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]

    operations = [
        EnableRls("core_auditentry", ingest=("insert",), maintained=("insert",)),
        *operator("core_auditentry", "SELECT"),
        # The operator and our own machines write down what they do for an MSP or a customer, which only those read.
        migrations.RunSQL(
            f'CREATE POLICY "no_place_insert" ON "core_auditentry" FOR INSERT TO {APP} WITH CHECK ({NO_PLACE})',
            'DROP POLICY "no_place_insert" ON "core_auditentry"',
        ),
        AppendOnly("core_auditentry"),
        EnableRls("core_job", maintained=("select", "update")),
        *operator("core_job", "SELECT", "INSERT", "UPDATE"),
        EnableRls("core_jobfile"),
        *operator("core_jobfile", "SELECT", "INSERT"),
        EnableRls("core_idempotencykey", maintained=("select", "delete")),
        *operator("core_idempotencykey", "SELECT", "INSERT", "UPDATE", "DELETE"),
    ]
