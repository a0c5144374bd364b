"""Plans with their versions and components, contracts with their phases, add-ons and credits, quotes."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("rating", "0002_charges"),
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="Contract",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("starts", models.DateField(verbose_name="starts on")),
                (
                    "term_months",
                    models.PositiveSmallIntegerField(
                        default=12,
                        help_text="months; 0 binds nobody",
                        validators=[django.core.validators.MaxValueValidator(120)],
                        verbose_name="term",
                    ),
                ),
                (
                    "renewal_months",
                    models.PositiveSmallIntegerField(
                        default=0,
                        help_text="months, unless notice is given; 0: after its term it can end on any day",
                        validators=[django.core.validators.MaxValueValidator(120)],
                        verbose_name="goes on by",
                    ),
                ),
                (
                    "notice_days",
                    models.PositiveSmallIntegerField(
                        default=30,
                        help_text="days",
                        validators=[django.core.validators.MaxValueValidator(730)],
                        verbose_name="notice",
                    ),
                ),
                (
                    "trial_until",
                    models.DateField(
                        blank=True,
                        help_text="The first day with monthly fees. Calls cost always.",
                        null=True,
                        verbose_name="trial until",
                    ),
                ),
                (
                    "reference",
                    models.TextField(
                        blank=True,
                        validators=[django.core.validators.MaxLengthValidator(80)],
                        verbose_name="your reference",
                    ),
                ),
                ("ends", models.DateField(editable=False, null=True)),
                ("noticed_on", models.DateField(editable=False, null=True)),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="AddOn",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(80)], verbose_name="add-on"),
                ),
                (
                    "quantity",
                    models.PositiveIntegerField(
                        default=1,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(100000),
                        ],
                        verbose_name="how many",
                    ),
                ),
                ("begins", models.DateField(verbose_name="from")),
                (
                    "ends",
                    models.DateField(
                        blank=True, help_text="The first day without it.", null=True, verbose_name="until"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
                    ),
                ),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="add_ons", to="plans.contract"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Credit",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("month", models.DateField(verbose_name="month")),
                (
                    "amount",
                    models.BigIntegerField(
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(10000000000000),
                        ],
                        verbose_name="amount",
                    ),
                ),
                (
                    "reason",
                    models.TextField(
                        help_text="The customer's bill shows it.",
                        validators=[django.core.validators.MaxLengthValidator(200)],
                        verbose_name="reason",
                    ),
                ),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="credits", to="plans.contract"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DrawnPeriod",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("begins", models.DateField()),
                ("ends", models.DateField()),
                ("reference", models.TextField()),
                ("drawn", models.JSONField(default=list)),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Plan",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.TextField(
                        help_text="Customers read it.",
                        validators=[django.core.validators.MaxLengthValidator(80)],
                        verbose_name="name",
                    ),
                ),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                (
                    "zone",
                    models.TextField(
                        default="UTC", help_text="Months and days are counted by its clock.", verbose_name="time zone"
                    ),
                ),
                (
                    "note",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(500)], verbose_name="note"
                    ),
                ),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("closed_at", models.DateTimeField(editable=False, null=True)),
                (
                    "msp",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="plans", to="tenants.msp"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="PlanVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("state", models.TextField(choices=[("draft", "Draft"), ("published", "Published")], default="draft")),
                ("effective_from", models.DateField(verbose_name="may be sold from")),
                (
                    "note",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(500)], verbose_name="note"
                    ),
                ),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("published_at", models.DateTimeField(editable=False, null=True)),
                (
                    "deck",
                    models.ForeignKey(
                        blank=True,
                        help_text="The selling deck that prices the calls of customers on this plan.",
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rating.ratedeck",
                        verbose_name="prices per minute",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "plan",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="versions", to="plans.plan"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Phase",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("begins", models.DateField()),
                ("ends", models.DateField(null=True)),
                (
                    "contract",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="phases", to="plans.contract"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="phases", to="plans.planversion"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Component",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField(default=0)),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("monthly", "Monthly fee"),
                            ("once", "One-off fee"),
                            ("emergency", "Emergency surcharge"),
                            ("call", "Price per call"),
                            ("minutes", "Included minutes"),
                            ("tiers", "Price by volume"),
                            ("commitment", "Minimum commitment"),
                            ("discount", "Discount"),
                        ],
                        verbose_name="kind",
                    ),
                ),
                (
                    "name",
                    models.TextField(
                        help_text="As it stands on the customer's bill.",
                        validators=[django.core.validators.MaxLengthValidator(80)],
                        verbose_name="name",
                    ),
                ),
                (
                    "amount",
                    models.BigIntegerField(
                        default=0,
                        validators=[
                            django.core.validators.MinValueValidator(0),
                            django.core.validators.MaxValueValidator(10000000000000),
                        ],
                        verbose_name="amount",
                    ),
                ),
                (
                    "per",
                    models.TextField(
                        choices=[
                            ("contract", "contract"),
                            ("seat", "user"),
                            ("number", "phone number"),
                            ("trunk", "trunk"),
                            ("channel", "channel (call at the same time)"),
                        ],
                        default="contract",
                        verbose_name="for each",
                    ),
                ),
                (
                    "minutes",
                    models.PositiveIntegerField(
                        default=0,
                        validators=[django.core.validators.MaxValueValidator(10000000)],
                        verbose_name="minutes",
                    ),
                ),
                (
                    "pool",
                    models.TextField(
                        choices=[
                            ("shared", "So many, shared by all"),
                            ("seat", "So many for each user, shared by all"),
                            ("own", "So many for each calling number, not shared"),
                        ],
                        default="shared",
                        verbose_name="whose minutes",
                    ),
                ),
                (
                    "roll_over",
                    models.PositiveSmallIntegerField(
                        default=0,
                        validators=[django.core.validators.MaxValueValidator(12)],
                        verbose_name="months that what is left may be used later",
                    ),
                ),
                (
                    "destinations",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        default=list,
                        help_text="As the deck calls them, one a line; empty for all.",
                        size=None,
                        verbose_name="destinations",
                    ),
                ),
                (
                    "per_million",
                    models.PositiveIntegerField(
                        default=0,
                        validators=[django.core.validators.MaxValueValidator(1000000)],
                        verbose_name="percent",
                    ),
                ),
                (
                    "scope",
                    models.TextField(
                        choices=[("all", "Fees and calls"), ("fees", "Fees"), ("calls", "Calls")],
                        default="all",
                        verbose_name="on",
                    ),
                ),
                (
                    "months",
                    models.PositiveSmallIntegerField(
                        blank=True,
                        null=True,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(120),
                        ],
                        verbose_name="months",
                    ),
                ),
                (
                    "optional",
                    models.BooleanField(
                        default=False,
                        help_text="Only for contracts that order it, as often as they do.",
                        verbose_name="add-on",
                    ),
                ),
                (
                    "tax_class",
                    models.TextField(
                        choices=[("telecom", "Telecommunication"), ("service", "Other service"), ("goods", "Goods")],
                        default="telecom",
                        verbose_name="for tax",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="components", to="plans.planversion"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Quote",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "title",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(120)], verbose_name="title"),
                ),
                ("assumptions", models.JSONField(default=dict)),
                ("outcome", models.JSONField(default=list)),
                ("made_by", models.TextField(blank=True, editable=False)),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.customer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ComponentTier",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("up_to", models.PositiveIntegerField(null=True)),
                ("per_minute", models.BigIntegerField(validators=[django.core.validators.MinValueValidator(0)])),
                (
                    "component",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="tiers", to="plans.component"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("component", "up_to"), name="plans_tier_limit_once", nulls_distinct=False
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("per_minute__gte", 0), models.Q(("up_to", None), ("up_to__gte", 1), _connector="OR")
                        ),
                        name="plans_tier_amount",
                    ),
                ],
            },
        ),
        migrations.AddIndex(
            model_name="contract",
            index=models.Index(fields=["tenant", "starts"], name="plans_contract_customer"),
        ),
        migrations.AddIndex(
            model_name="contract",
            index=models.Index(fields=["msp", "-id"], name="plans_contract_newest"),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends", None), ("ends__gte", models.F("starts")), _connector="OR"),
                name="plans_contract_ends_later",
            ),
        ),
        migrations.AddConstraint(
            model_name="contract",
            constraint=models.CheckConstraint(
                condition=models.Q(("trial_until", None), ("trial_until__gte", models.F("starts")), _connector="OR"),
                name="plans_contract_trial_later",
                violation_error_message="A trial ends after the contract starts.",
            ),
        ),
        migrations.AddConstraint(
            model_name="addon",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends", None), ("ends__gte", models.F("begins")), _connector="OR"),
                name="plans_addon_ends_later",
                violation_error_message="It ends after it begins.",
            ),
        ),
        migrations.AddConstraint(
            model_name="addon",
            constraint=models.CheckConstraint(condition=models.Q(("quantity__gte", 1)), name="plans_addon_quantity"),
        ),
        migrations.AddConstraint(
            model_name="credit",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 1)),
                name="plans_credit_amount",
                violation_error_message="A credit is more than nothing.",
            ),
        ),
        migrations.AddConstraint(
            model_name="credit",
            constraint=models.CheckConstraint(
                condition=models.Q(("month__day", 1)), name="plans_credit_first_of_month"
            ),
        ),
        migrations.AddConstraint(
            model_name="credit",
            constraint=models.CheckConstraint(
                condition=models.Q(("reason", ""), _negated=True),
                name="plans_credit_has_reason",
                violation_error_message="Say why: the bill shows it.",
            ),
        ),
        migrations.AddConstraint(
            model_name="drawnperiod",
            constraint=models.UniqueConstraint(fields=("tenant", "reference"), name="plans_drawn_once"),
        ),
        migrations.AddConstraint(
            model_name="drawnperiod",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends__gt", models.F("begins"))), name="plans_drawn_ends_later"
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.UniqueConstraint(
                models.F("msp"),
                django.db.models.functions.text.Lower("name"),
                condition=models.Q(("closed_at", None)),
                name="plans_plan_name_once",
                violation_error_message="You already have a plan with this name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="plans_plan_has_name",
                violation_error_message="Give the plan a name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")),
                name="plans_plan_currency_code",
                violation_error_message="Use a currency code of three letters, for example EUR.",
            ),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.UniqueConstraint(fields=("plan", "number"), name="plans_version_number_once"),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.UniqueConstraint(
                condition=models.Q(("state", "draft")),
                fields=("plan",),
                name="plans_version_one_draft",
                violation_error_message="This plan has a draft already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="planversion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("published_at", None), ("state", "draft")),
                    models.Q(("published_at__isnull", False), ("state", "published")),
                    _connector="OR",
                ),
                name="plans_version_published_when",
            ),
        ),
        migrations.AddIndex(
            model_name="phase",
            index=models.Index(fields=["tenant", "begins"], name="plans_phase_customer"),
        ),
        migrations.AddConstraint(
            model_name="phase",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends", None), ("ends__gte", models.F("begins")), _connector="OR"),
                name="plans_phase_ends_later",
            ),
        ),
        migrations.AddIndex(
            model_name="component",
            index=models.Index(fields=["version", "position"], name="plans_component_order"),
        ),
        migrations.AddConstraint(
            model_name="component",
            constraint=models.UniqueConstraint(
                models.F("version"),
                django.db.models.functions.text.Lower("name"),
                name="plans_component_name_once",
                violation_error_message="This version has something of this name already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="component",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="plans_component_has_name",
                violation_error_message="Give it the name that the bill shows.",
            ),
        ),
        migrations.AddConstraint(
            model_name="component",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gte", 0), ("amount__lte", 10000000000000), ("per_million__lte", 1000000)),
                name="plans_component_amounts",
                violation_error_message="An amount is not below zero, a discount at most 100 %.",
            ),
        ),
        migrations.AddConstraint(
            model_name="component",
            constraint=models.CheckConstraint(
                condition=models.Q(models.Q(("kind", "minutes"), _negated=True), ("minutes__gte", 1), _connector="OR"),
                name="plans_component_minutes",
                violation_error_message="Say how many minutes are included.",
            ),
        ),
        migrations.AddConstraint(
            model_name="component",
            constraint=models.CheckConstraint(
                condition=models.Q(("optional", False), ("kind__in", ["monthly", "once", "minutes"]), _connector="OR"),
                name="plans_component_optional",
                violation_error_message="Only fees and included minutes can be add-ons.",
            ),
        ),
        migrations.AddConstraint(
            model_name="component",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "discount"), _negated=True), ("per_million__gte", 1), _connector="OR"
                ),
                name="plans_component_discount",
                violation_error_message="Say how many percent the discount is.",
            ),
        ),
        migrations.AddConstraint(
            model_name="quote",
            constraint=models.CheckConstraint(
                condition=models.Q(("title", ""), _negated=True),
                name="plans_quote_has_title",
                violation_error_message="Give the quote a title.",
            ),
        ),
    ]
