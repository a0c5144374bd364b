"""That an account has changed its currency is noted of one that had nothing, too."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("rating", "0009_currency_changes")]

    operations = [
        migrations.RemoveConstraint("movement", "rating_movement_moves"),
        migrations.AddConstraint(
            "movement",
            models.CheckConstraint(condition=~Q(micros=0) | Q(kind="currency"), name="rating_movement_moves"),
        ),
    ]
