import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, EnableRls

TABLES = ("assessment", "usergroup", "firstvalues")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="Assessment",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.TextField(
                        validators=[django.core.validators.MaxLengthValidator(120)], verbose_name="for whom"
                    ),
                ),
                ("currency", models.TextField(default="EUR", verbose_name="currency")),
                (
                    "goal",
                    models.TextField(
                        choices=[
                            ("margin", "The largest margin for you"),
                            ("price", "The lowest price for the customer"),
                            ("speed", "The soonest first call"),
                        ],
                        default="margin",
                        verbose_name="what counts most",
                    ),
                ),
                (
                    "weeks",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[django.core.validators.MaxValueValidator(520)],
                        verbose_name="weeks until the first call",
                    ),
                ),
                (
                    "needs",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), blank=True, default=list, size=None, verbose_name="needs"
                    ),
                ),
                (
                    "note",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(1000)], verbose_name="note"
                    ),
                ),
                ("assumptions", models.JSONField(default=dict, editable=False)),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("changed_at", models.DateTimeField(auto_now=True)),
                (
                    "msp",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="assessments", to="tenants.msp"
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="FirstValues",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("assumptions", models.JSONField(default=dict)),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "msp",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT, related_name="first_values", to="tenants.msp"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="UserGroup",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveSmallIntegerField()),
                ("country", models.TextField(verbose_name="country")),
                (
                    "profile",
                    models.TextField(
                        choices=[
                            ("office", "Office: calls at a desk all day"),
                            ("frontline", "Frontline: calls now and then"),
                            ("mobile", "On the move: the mobile number is the office number"),
                            ("device", "Devices: door, fax, lift, switchboard, contact centre"),
                        ],
                        default="office",
                        verbose_name="who",
                    ),
                ),
                (
                    "people",
                    models.PositiveIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(1000000),
                        ],
                        verbose_name="how many",
                    ),
                ),
                (
                    "domestic",
                    models.PositiveIntegerField(
                        default=150,
                        validators=[django.core.validators.MaxValueValidator(50000)],
                        verbose_name="domestic minutes",
                    ),
                ),
                (
                    "international",
                    models.PositiveIntegerField(
                        default=10,
                        validators=[django.core.validators.MaxValueValidator(50000)],
                        verbose_name="international minutes",
                    ),
                ),
                (
                    "assessment",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="groups", to="advisor.assessment"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="assessment",
            index=models.Index(fields=["msp", "-changed_at"], name="advisor_assessment_newest"),
        ),
        migrations.AddConstraint(
            model_name="assessment",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="advisor_assessment_has_name",
                violation_error_message="Say for whom this is.",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessment",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")),
                name="advisor_assessment_currency",
                violation_error_message="Use a currency code of three letters, for example EUR.",
            ),
        ),
        migrations.AddConstraint(
            model_name="assessment",
            constraint=models.CheckConstraint(
                condition=models.Q(("goal__in", ["margin", "price", "speed"])), name="advisor_assessment_goal"
            ),
        ),
        migrations.AddConstraint(
            model_name="assessment",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "needs__contained_by",
                        ["own_routing", "own_carrier", "white_label", "one_bill", "nothing_to_set_up", "certified"],
                    )
                ),
                name="advisor_assessment_needs_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="usergroup",
            constraint=models.UniqueConstraint(fields=("assessment", "position"), name="advisor_group_position_once"),
        ),
        migrations.AddConstraint(
            model_name="usergroup",
            constraint=models.CheckConstraint(
                condition=models.Q(("country__regex", "^[A-Z]{2}$")),
                name="advisor_group_country",
                violation_error_message="Use a country code of two letters, for example DE.",
            ),
        ),
        migrations.AddConstraint(
            model_name="usergroup",
            constraint=models.CheckConstraint(
                condition=models.Q(("people__gte", 1), ("people__lte", 1000000)),
                name="advisor_group_people",
                violation_error_message="Say how many there are.",
            ),
        ),
        migrations.AddConstraint(
            model_name="usergroup",
            constraint=models.CheckConstraint(
                condition=models.Q(("domestic__lte", 50000), ("international__lte", 50000)),
                name="advisor_group_minutes",
                violation_error_message="Nobody talks that much in a month.",
            ),
        ),
        # What connections cost the MSP is nobody else's business: no policy gives a customer's role a row.
        *(EnableRls(f"advisor_{table}", tenant_column=None) for table in TABLES),
        *(
            migrations.RunSQL(
                [
                    f"REVOKE ALL ON advisor_{table} FROM {INGEST}",
                    f"REVOKE INSERT, UPDATE, DELETE ON advisor_{table} FROM {APP}",
                ],
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON advisor_{table} TO {APP}, {INGEST}",
            )
            for table in TABLES
        ),
    ]
