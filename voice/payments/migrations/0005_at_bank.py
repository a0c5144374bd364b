from django.db import migrations, models
from django.db.models import Q

# A charge that the gateway took and did not end: a debit, of which it says in days what became of it.
KNOWN = """
UPDATE payments_cardattempt SET at_bank = true
 WHERE is_under_way AND state = 'open' AND kind IN ('saved', 'collect') AND intent <> ''
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0004_one_way")]

    operations = [
        migrations.AddField("cardattempt", "at_bank", models.BooleanField(default=False, editable=False)),
        migrations.RunSQL(
            [
                "ALTER TABLE payments_cardattempt NO FORCE ROW LEVEL SECURITY",
                KNOWN,
                "ALTER TABLE payments_cardattempt FORCE ROW LEVEL SECURITY",
            ],
            migrations.RunSQL.noop,
        ),
        migrations.RemoveConstraint("cardattempt", "payments_attempt_one_way"),
        migrations.AddConstraint(
            "cardattempt",
            models.UniqueConstraint(
                fields=["tenant", "account"],
                condition=Q(at_bank=False, is_under_way=True, kind__in=["checkout", "saved", "collect"]),
                name="payments_attempt_one_way",
            ),
        ),
        migrations.AddConstraint(
            "cardattempt",
            models.CheckConstraint(
                condition=Q(at_bank=False) | Q(is_under_way=True, state="open"), name="payments_attempt_at_bank"
            ),
        ),
    ]
