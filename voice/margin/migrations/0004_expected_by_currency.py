"""Plans of one customer may ask in two currencies in a month, and more for calls than they take off the charges."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("margin", "0003_expected_months")]

    operations = [
        # Prices per call come on top of charges: what a plan takes off less what it asks may be below zero.
        migrations.RemoveConstraint(model_name="expectedmonth", name="margin_expectedmonth_off"),
        migrations.RemoveConstraint(model_name="expectedmonth", name="margin_expectedmonth_once"),
        migrations.AddConstraint(
            model_name="expectedmonth",
            constraint=models.UniqueConstraint(
                fields=("tenant", "month", "currency"), name="margin_expectedmonth_once"
            ),
        ),
    ]
