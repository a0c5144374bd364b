"""A seat names its number: calls are told by it, also once it was given back."""

from django.db import migrations

import portal.core.fields

NAME = """
UPDATE numbers_seat SET e164 = numbers_number.e164
  FROM numbers_number WHERE numbers_number.stock_id = numbers_seat.stock_id
"""


class Migration(migrations.Migration):
    dependencies = [("numbers", "0002_seats")]

    operations = [
        migrations.AddField(
            model_name="seat",
            name="e164",
            field=portal.core.fields.E164Field(editable=False, null=True, verbose_name="number"),
        ),
        migrations.RunSQL(NAME, migrations.RunSQL.noop),
    ]
