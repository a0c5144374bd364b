"""A grant that is taken back keeps its days; from then on the customer sees the trunk no longer."""

import django.utils.timezone
from django.db import migrations, models

from portal.db.dated import NoOverlap
from portal.db.rls import TENANT

OWN_MSP = f"(SELECT msp_id FROM tenants_customer WHERE id = {TENANT})"  # noqa: S608
POLICY = f"""ALTER POLICY app_granted ON carriers_trunk USING (tenant_id IS NULL AND (
    id IN (SELECT trunk_id FROM carriers_trunkgrant WHERE tenant_id = {TENANT}{{open}})
    OR id IN (SELECT trunk_id FROM carriers_emergencytrunk WHERE msp_id = {OWN_MSP})))"""  # noqa: S608


class Migration(migrations.Migration):
    dependencies = [("carriers", "0002_row_level_security")]

    operations = [
        migrations.RenameField("trunkgrant", "granted_at", "since"),
        migrations.AlterField(
            "trunkgrant", "since", models.DateTimeField(default=django.utils.timezone.now, editable=False)
        ),
        migrations.AddField("trunkgrant", "until", models.DateTimeField(editable=False, null=True)),
        migrations.RemoveConstraint("trunkgrant", "carriers_grant_once"),
        NoOverlap("carriers_trunkgrant", "trunk_id", "tenant_id"),
        migrations.RunSQL(POLICY.format(open=" AND until IS NULL"), POLICY.format(open="")),
    ]
