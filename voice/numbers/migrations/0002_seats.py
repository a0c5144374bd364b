"""Who had a number from when until when. What is so already began, as far as is known, when the number came."""

import django.utils.timezone
from django.db import migrations, models

from portal.db.dated import NoOverlap

BEGIN = """
INSERT INTO numbers_seat (stock_id, person_id, since)
SELECT stock_id, person_id, allocated_at FROM numbers_number WHERE state = 'active' AND person_id IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("numbers", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="Seat",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("since", models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ("until", models.DateTimeField(editable=False, null=True)),
                ("stock_id", models.BigIntegerField()),
                ("person_id", models.BigIntegerField()),
            ],
            options={"indexes": [models.Index(fields=["stock_id", "-since"], name="numbers_seat_stock")]},
        ),
        NoOverlap("numbers_seat", "stock_id"),
        migrations.RunSQL(BEGIN, migrations.RunSQL.noop),
    ]
