from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("receivables", "0018_mistakes")]

    operations = [
        migrations.AlterField(
            "legalentity",
            "first_bill_limit",
            models.BigIntegerField(
                default=1_000_000_000,
                help_text=(
                    "Net, in the bill's currency. A customer's first bill, or one after a month of 0.00, has nothing to"
                    " be compared with: above this somebody has to look at it before it goes out. 0 is each of them."
                ),
                verbose_name="look at first bills above",
            ),
        ),
    ]
