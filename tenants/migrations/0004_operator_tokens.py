"""Tokens of the operator's console: of no MSP and no customer, and seen from nowhere else."""

from django.db import migrations, models

from portal.db.rls import APP, TENANT, THIS_MSP

# The operator's console: no tenant and no MSP is chosen.
OPERATORS_OWN = f"{TENANT} IS NULL AND {THIS_MSP} IS NULL AND tenant_id IS NULL AND msp_id IS NULL"


def operator(command: str, *clauses: str) -> migrations.RunSQL:
    name, conditions = f"operator_{command.lower()}", " ".join(f"{clause} ({OPERATORS_OWN})" for clause in clauses)
    return migrations.RunSQL(
        f'CREATE POLICY "{name}" ON "tenants_apitoken" FOR {command} TO {APP} {conditions}',
        f'DROP POLICY "{name}" ON "tenants_apitoken"',
    )


class Migration(migrations.Migration):
    dependencies = [("tenants", "0003_own_host")]

    operations = [
        migrations.RemoveConstraint("apitoken", "tenants_apitoken_one_place"),
        migrations.AddConstraint(
            "apitoken",
            models.CheckConstraint(
                condition=models.Q(("msp__isnull", True), ("tenant__isnull", True), _connector="OR"),
                name="tenants_apitoken_one_place",
            ),
        ),
        # None for DELETE: a token that has ended explains the audit log.
        operator("SELECT", "USING"),
        operator("INSERT", "WITH CHECK"),
        operator("UPDATE", "USING", "WITH CHECK"),
    ]
