from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0013_retention_of_books")]

    operations = [
        migrations.AddField("membership", "row_version", models.PositiveIntegerField(default=1, editable=False)),
    ]
