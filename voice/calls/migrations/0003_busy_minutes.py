from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("calls", "0002_ends_that_come_late")]

    operations = [
        migrations.AddField(model_name="rollup", name="cps95", field=models.PositiveIntegerField(null=True)),
    ]
