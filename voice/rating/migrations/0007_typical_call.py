from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("rating", "0006_limits")]

    operations = [
        # Row-level security stays as it is: no customer's role reads the table, nodes' role and its MSP do.
        migrations.AddField(
            "losspolicy",
            "typical_seconds",
            models.PositiveIntegerField(
                blank=True,
                help_text="In seconds: trunks are compared by what such a call costs. Empty is three minutes.",
                null=True,
                validators=[MinValueValidator(1), MaxValueValidator(7200)],
                verbose_name="typical call",
            ),
        ),
        migrations.AddConstraint(
            "losspolicy",
            models.CheckConstraint(
                condition=Q(typical_seconds=None) | Q(typical_seconds__range=(1, 7200), tenant=None),
                name="rating_losspolicy_typical_call",
                violation_error_message="A typical call lasts from 1 to 7200 seconds, the same for all customers.",
            ),
        ),
        # What was ranked by the price of a minute is ranked anew.
        migrations.RunSQL(
            [
                "ALTER TABLE rating_pricetables NO FORCE ROW LEVEL SECURITY",
                "UPDATE rating_pricetables SET wanted = wanted + 1",
                "ALTER TABLE rating_pricetables FORCE ROW LEVEL SECURITY",
            ],
            migrations.RunSQL.noop,
        ),
    ]
