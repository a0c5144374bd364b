"""Of two editors of one blocked prefix the second is told, as everywhere else."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("carriers", "0003_dated_grants")]

    operations = [
        migrations.AddField("blockedprefix", "row_version", models.PositiveIntegerField(default=0, editable=False)),
    ]
