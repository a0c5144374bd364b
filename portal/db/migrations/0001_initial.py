from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="CustomerTemplate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sql", models.TextField()),
                ("fingerprint", models.TextField()),
                ("made_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={"db_table": "db_customer_template"},
        ),
        migrations.CreateModel(
            name="CustomerMigration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("app", models.TextField()),
                ("name", models.TextField()),
                ("sql", models.TextField(null=True)),
            ],
            options={
                "db_table": "db_customer_migration",
                "constraints": [
                    models.UniqueConstraint(fields=("app", "name"), name="db_customer_migration_once"),
                ],
            },
        ),
        # The portal makes customers from the template and has no business changing it.
        migrations.RunSQL(
            "REVOKE ALL ON db_customer_template, db_customer_migration"
            " FROM strowger_app, strowger_msp, strowger_ingest",
            migrations.RunSQL.noop,
        ),
    ]
