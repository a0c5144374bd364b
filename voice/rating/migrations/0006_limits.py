import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, MSP, EnableRls

TERMS = "kind, currency, credit_limit_micros, spend_limit_micros, warn_shares, warn_below_micros, row_version"


class Migration(migrations.Migration):
    dependencies = [
        ("rating", "0005_ranking"),
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="LimitWarning",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("low", "Balance low"),
                            ("empty", "Balance used up"),
                            ("credit", "Credit limit"),
                            ("spend", "Spend limit of the month"),
                            ("own", "Own limit of the month"),
                        ]
                    ),
                ),
                ("share", models.PositiveSmallIntegerField()),
                ("since", models.DateTimeField()),
                ("until", models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name="account",
            name="own_limit_micros",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="own limit a month"),
        ),
        migrations.AddField(
            model_name="account",
            name="row_version",
            field=models.PositiveIntegerField(default=0, editable=False),
        ),
        migrations.AddField(
            model_name="account",
            name="spend_limit_micros",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="spend limit a month"),
        ),
        migrations.AddField(
            model_name="account",
            name="warn_below_micros",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="warn below"),
        ),
        migrations.AddField(
            model_name="account",
            name="warn_shares",
            field=models.JSONField(blank=True, null=True, verbose_name="warn at"),
        ),
        migrations.AlterField(
            model_name="account",
            name="balance_micros",
            field=models.BigIntegerField(default=0, verbose_name="balance"),
        ),
        migrations.AlterField(
            model_name="account",
            name="credit_limit_micros",
            field=models.BigIntegerField(blank=True, null=True, verbose_name="credit limit"),
        ),
        migrations.AlterField(
            model_name="account",
            name="currency",
            field=models.TextField(verbose_name="currency"),
        ),
        migrations.AlterField(
            model_name="account",
            name="kind",
            field=models.TextField(
                choices=[("postpaid", "Postpaid"), ("prepaid", "Prepaid")], default="postpaid", verbose_name="kind"
            ),
        ),
        migrations.AlterField(
            model_name="account",
            name="spent_micros",
            field=models.BigIntegerField(default=0, verbose_name="spent this month"),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("credit_limit_micros__lt", 0), _negated=True),
                    models.Q(("spend_limit_micros__lt", 0), _negated=True),
                    models.Q(("own_limit_micros__lt", 0), _negated=True),
                    models.Q(("warn_below_micros__lt", 0), _negated=True),
                ),
                name="rating_account_limits",
                violation_error_message="A limit is an amount from 0.",
            ),
        ),
        migrations.AddConstraint(
            model_name="account",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind", "postpaid"), ("credit_limit_micros", None), _connector="OR"),
                name="rating_account_credit_is_postpaid",
                violation_error_message="A prepaid account has no credit.",
            ),
        ),
        migrations.AddField(
            model_name="limitwarning",
            name="msp",
            field=models.ForeignKey(
                db_constraint=False, db_index=False, on_delete=django.db.models.deletion.DO_NOTHING, to="tenants.msp"
            ),
        ),
        migrations.AddField(
            model_name="limitwarning",
            name="tenant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.DO_NOTHING,
                to="tenants.customer",
            ),
        ),
        migrations.AddIndex(
            model_name="limitwarning",
            index=models.Index(condition=models.Q(("until", None)), fields=["msp"], name="rating_limitwarning_open"),
        ),
        migrations.AddConstraint(
            model_name="limitwarning",
            constraint=models.UniqueConstraint(
                condition=models.Q(("until", None)),
                fields=("tenant", "kind", "share"),
                name="rating_limitwarning_one_open",
            ),
        ),
        EnableRls("rating_limitwarning", ingest=("select", "insert", "update")),
        migrations.RunSQL(
            f"""
            REVOKE INSERT, UPDATE, DELETE ON rating_limitwarning FROM {APP}, {MSP};
            -- The terms are the MSP's to set, the lower limit its customer's; neither reaches a balance.
            GRANT UPDATE ({TERMS}) ON rating_account TO {MSP};
            GRANT UPDATE (own_limit_micros, row_version) ON rating_account TO {APP};
            """,
            f"""
            REVOKE UPDATE (own_limit_micros, row_version) ON rating_account FROM {APP};
            REVOKE UPDATE ({TERMS}) ON rating_account FROM {MSP};
            GRANT INSERT, UPDATE, DELETE ON rating_limitwarning TO {APP}, {MSP};
            """,
        ),
    ]
