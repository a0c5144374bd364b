"""Minutes that nobody shares are those of a user, and no more those of a calling number."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("plans", "0003_drawn_with_its_bill")]

    operations = [
        migrations.AlterField(
            model_name="component",
            name="pool",
            field=models.TextField(
                choices=[
                    ("shared", "So many, shared by all"),
                    ("seat", "So many for each user, shared by all"),
                    ("own", "So many for each user, not shared"),
                ],
                default="shared",
                verbose_name="whose minutes",
            ),
        ),
    ]
