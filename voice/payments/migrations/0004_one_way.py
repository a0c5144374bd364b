from django.db import migrations, models
from django.db.models import Q

# A checkout lasts a day. Of several that are open only the newest is known to be closed before another begins.
KNOWN = """
UPDATE payments_cardattempt a SET is_under_way = true
 WHERE a.state = 'open' AND (a.kind IN ('saved', 'collect', 'top_up') OR a.created_at > now() - interval '1 day')
   AND (a.kind = 'top_up' OR NOT EXISTS (
        SELECT FROM payments_cardattempt b
         WHERE b.tenant_id = a.tenant_id AND b.account_id = a.account_id AND b.state = 'open' AND b.kind <> 'top_up'
           AND (b.kind <> 'checkout', b.id) > (a.kind <> 'checkout', a.id)))
"""


class Migration(migrations.Migration):
    dependencies = [("payments", "0003_card_of_attempt")]

    operations = [
        migrations.AddField("cardattempt", "is_under_way", models.BooleanField(default=False, editable=False)),
        migrations.RunSQL(
            [
                "ALTER TABLE payments_cardattempt NO FORCE ROW LEVEL SECURITY",
                KNOWN,
                "ALTER TABLE payments_cardattempt FORCE ROW LEVEL SECURITY",
            ],
            migrations.RunSQL.noop,
        ),
        migrations.AlterField("cardattempt", "is_under_way", models.BooleanField(default=True, editable=False)),
        migrations.AddConstraint(
            "cardattempt",
            models.UniqueConstraint(
                fields=["tenant", "account"],
                condition=Q(is_under_way=True, kind__in=["checkout", "saved", "collect"]),
                name="payments_attempt_one_way",
            ),
        ),
        migrations.AddConstraint(
            "cardattempt",
            models.CheckConstraint(
                condition=Q(is_under_way=False) | Q(state__in=["open", "failed"]), name="payments_attempt_over"
            ),
        ),
    ]
