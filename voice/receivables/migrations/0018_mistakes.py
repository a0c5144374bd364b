"""A payment may be taken back because somebody entered it by mistake."""

from django.db import migrations, models

KINDS = [
    ("refund", "Refund"), ("chargeback", "Chargeback"), ("returned", "Returned by the bank"),
    ("mistake", "Entered by mistake"),
]  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("receivables", "0017_first_bills")]

    operations = [migrations.AlterField("reversal", "kind", models.TextField(choices=KINDS))]
