from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("tenants", "0008_retention_of_messages")]

    operations = [
        migrations.AddField(
            "msp",
            "longest_call_minutes",
            models.PositiveIntegerField(
                blank=True,
                help_text="In minutes: the SBC ends longer calls, except emergency calls. Empty is 12 hours.",
                null=True,
                verbose_name="longest call of customers without one of their own",
            ),
        ),
        migrations.AlterField(
            "customer",
            "longest_call_minutes",
            models.PositiveIntegerField(
                blank=True,
                help_text="The SBC ends longer calls, except emergency calls. Empty is what holds for all customers.",
                null=True,
                verbose_name="longest call",
            ),
        ),
        migrations.AddConstraint(
            "msp",
            models.CheckConstraint(
                condition=Q(longest_call_minutes=None) | Q(longest_call_minutes__range=(1, 720)),
                name="tenants_msp_longest_call",
                violation_error_message="A call may last from 1 to 720 minutes, which is 12 hours.",
            ),
        ),
    ]
