from django.db import migrations, models

from portal.db.rls import APP, TENANT, THIS_MSP, EnableRls

NO_PLACE = f"{TENANT} IS NULL AND {THIS_MSP} IS NULL"


class Migration(migrations.Migration):
    dependencies = [("sbc", "0003_leaving")]

    operations = [
        migrations.AddField(
            model_name="quarantinedrecord",
            name="outcome",
            field=models.TextField(blank=True, choices=[("stored", "Stored as a call"), ("aside", "Set aside")]),
        ),
        migrations.AddField(model_name="quarantinedrecord", name="note", field=models.TextField(blank=True)),
        # Whose calls these are is not known: no customer's and no MSP's portal reads them.
        EnableRls("sbc_quarantinedrecord", tenant_column=None, msp_column=None, ingest=("select", "insert", "update")),
        migrations.RunSQL(
            f"CREATE POLICY operator ON sbc_quarantinedrecord FOR SELECT TO {APP} USING ({NO_PLACE})",
            "DROP POLICY operator ON sbc_quarantinedrecord",
        ),
    ]
