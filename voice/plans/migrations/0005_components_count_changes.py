"""Of two editors of one part of a draft the second is told, as everywhere else."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plans", "0004_minutes_of_users")]

    operations = [
        migrations.AddField("component", "row_version", models.PositiveIntegerField(default=0, editable=False)),
    ]
