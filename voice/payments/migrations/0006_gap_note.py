"""Where statements do not follow each other, somebody may say why."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("payments", "0005_at_bank")]

    operations = [
        migrations.AddField(
            "bankstatement",
            "gap_note",
            models.TextField(
                blank=True,
                default="",
                validators=[django.core.validators.MaxLengthValidator(200)],
                verbose_name="why something is missing before it",
            ),
            preserve_default=False,
        )
    ]
