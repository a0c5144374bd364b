from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("receivables", "0016_credited_payments")]

    operations = [
        migrations.AddField(
            "legalentity",
            "first_bill_limit",
            models.BigIntegerField(
                default=1_000_000_000,
                help_text=(
                    "Net, in the bill's currency. A customer's first bill, or one after a month of 0.00, has nothing to"
                    " be held against: above this somebody has to look at it before it goes out. 0 is each of them."
                ),
                verbose_name="look at first bills above",
            ),
        ),
        migrations.AddConstraint(
            "legalentity",
            models.CheckConstraint(
                condition=Q(first_bill_limit__gte=0),
                name="receivables_entity_first_bill",
                violation_error_message="A bill is looked at from 0 on.",
            ),
        ),
    ]
