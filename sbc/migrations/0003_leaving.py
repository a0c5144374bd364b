from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("sbc", "0002_certificates")]

    operations = [
        migrations.AddField(model_name="deployment", name="leaving", field=models.BooleanField(default=False)),
    ]
