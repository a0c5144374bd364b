from django.contrib.postgres.fields import ArrayField
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("sbc", "0010_erasure_of_books"),
    ]

    operations = [
        migrations.AddField(
            model_name="node",
            name="addresses",
            field=ArrayField(base_field=models.TextField(), default=list, editable=False, size=None),
        ),
        migrations.AddField(model_name="revision", name="unfit", field=models.JSONField(default=dict)),
    ]
