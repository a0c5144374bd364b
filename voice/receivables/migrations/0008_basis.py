from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("receivables", "0007_nothing_to_see"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoiceline",
            name="basis",
            field=models.JSONField(blank=True, default=dict),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="kind",
            field=models.TextField(
                choices=[
                    ("usage", "Calls"),
                    ("fee", "Fee"),
                    ("credit", "Credit"),
                    ("commitment", "Minimum"),
                    ("discount", "Discount"),
                ]
            ),
        ),
    ]
