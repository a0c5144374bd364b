from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.AddField(
            model_name="customer",
            name="longest_call_minutes",
            field=models.PositiveIntegerField(
                blank=True,
                help_text="In minutes: the SBC ends longer calls, except emergency calls. Empty is 12 hours.",
                null=True,
                verbose_name="longest call",
            ),
        ),
        migrations.AddConstraint(
            model_name="customer",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("longest_call_minutes", None), ("longest_call_minutes__range", (1, 720)), _connector="OR"
                ),
                name="tenants_customer_longest_call",
                violation_error_message="A call may last from 1 to 720 minutes, which is 12 hours.",
            ),
        ),
    ]
