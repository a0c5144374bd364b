"""An account goes on in another currency: what it had goes out of the one and into the other."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("rating", "0008_reminder_fees")]

    operations = [
        migrations.AlterField(
            "movement",
            "kind",
            models.TextField(
                choices=[
                    ("top_up", "Top-up"),
                    ("payment", "Payment"),
                    ("taken_back", "Taken back"),
                    ("invoice", "Invoice"),
                    ("credit_note", "Credit note"),
                    ("fee", "Reminder fee"),
                    ("correction", "Correction"),
                    ("currency", "Change of currency"),
                ],
                verbose_name="what",
            ),
        ),
        migrations.RemoveConstraint("movement", "rating_movement_gives_or_takes"),
        migrations.AddConstraint(
            "movement",
            models.CheckConstraint(
                condition=Q(kind__in=["top_up", "payment", "credit_note"], micros__gt=0)
                | Q(kind__in=["taken_back", "fee"], micros__lt=0)
                | Q(kind__in=["invoice", "correction", "currency"]),
                name="rating_movement_gives_or_takes",
            ),
        ),
    ]
