import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, MSP, EnableRls

# Each proposal has a partition of its own, filled by the owner and dropped whole: no index, no key to keep.
LINE = """
CREATE TABLE rerating_line (
    proposal_id bigint NOT NULL, part integer NOT NULL, msp_id integer NOT NULL, tenant_id integer NOT NULL,
    invited timestamptz NOT NULL, id uuid NOT NULL, number integer NOT NULL, rate_id bigint NOT NULL,
    seconds integer NOT NULL, billed integer NOT NULL, micros bigint NOT NULL, was_micros bigint NOT NULL
) PARTITION BY LIST (proposal_id)
"""
OWNED = "rerating_proposal, rerating_proposalsum, rerating_line"


class Migration(migrations.Migration):
    dependencies = [
        ("rating", "0003_movements"),
        ("rerating", "0001_initial"),
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="Line",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "proposal_id",
                        "number",
                        "tenant_id",
                        "invited",
                        "id",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("invited", models.DateTimeField()),
                ("id", models.UUIDField()),
                ("number", models.IntegerField()),
                ("rate_id", models.BigIntegerField()),
                ("seconds", models.IntegerField()),
                ("billed", models.IntegerField()),
                ("micros", models.BigIntegerField()),
                ("was_micros", models.BigIntegerField()),
            ],
            options={
                "db_table": "rerating_line",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="Proposal",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("begins", models.DateTimeField(verbose_name="from")),
                ("ends", models.DateTimeField(verbose_name="until")),
                (
                    "customers",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.IntegerField(), blank=True, default=list, size=None
                    ),
                ),
                (
                    "trunks",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), blank=True, default=list, size=None
                    ),
                ),
                ("sell", models.BooleanField(default=True, verbose_name="what customers pay")),
                ("buy", models.BooleanField(default=False, verbose_name="what carriers ask")),
                (
                    "note",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(500)], verbose_name="what for"
                    ),
                ),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("rating", "Being rated"),
                            ("ready", "Waiting for you"),
                            ("applying", "Being applied"),
                            ("applied", "Applied"),
                            ("discarded", "Discarded"),
                            ("failed", "Needs attention"),
                        ],
                        default="rating",
                    ),
                ),
                ("message", models.TextField(blank=True)),
                ("round", models.PositiveIntegerField(default=1)),
                ("basis", models.JSONField(blank=True, default=dict)),
                ("totals", models.JSONField(blank=True, default=list)),
                ("calls", models.PositiveIntegerField(default=0)),
                ("changed", models.PositiveIntegerField(default=0)),
                ("priced", models.PositiveIntegerField(default=0)),
                ("left", models.PositiveIntegerField(default=0)),
                ("made_by", models.TextField(blank=True)),
                (
                    "reason",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(500)], verbose_name="reason"
                    ),
                ),
                ("job_id", models.UUIDField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("rated_at", models.DateTimeField(editable=False, null=True)),
                ("applied_at", models.DateTimeField(editable=False, null=True)),
                ("expires_at", models.DateTimeField(editable=False, null=True)),
                ("kept", models.BooleanField(default=True, editable=False)),
                (
                    "buy_deck",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rating.ratedeck",
                    ),
                ),
                (
                    "buy_version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rating.deckversion",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "sell_deck",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rating.ratedeck",
                    ),
                ),
                (
                    "sell_version",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rating.deckversion",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ProposalSum",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                ("side", models.TextField(choices=[("sell", "What customers pay"), ("buy", "What carriers ask")])),
                (
                    "what",
                    models.SmallIntegerField(
                        choices=[(0, "Unchanged"), (1, "Changed"), (2, "Has a price now"), (3, "Left as it is")]
                    ),
                ),
                ("trunk", models.BigIntegerField(default=0)),
                (
                    "direction",
                    models.TextField(
                        choices=[
                            ("out", "Outgoing"),
                            ("in", "Incoming"),
                            ("internal", "Internal"),
                            ("emergency", "Emergency"),
                        ]
                    ),
                ),
                (
                    "outcome",
                    models.TextField(
                        choices=[
                            ("rated", "Rated"),
                            ("free", "Free of charge"),
                            ("unrated", "No rate"),
                            ("blocked", "Blocked prefix"),
                            ("no_number", "Not a number"),
                            ("no_end", "End unknown"),
                            ("no_length", "No length"),
                            ("too_long", "Longer than a day"),
                        ]
                    ),
                ),
                ("deck_id", models.BigIntegerField(null=True)),
                ("was_destination", models.TextField(blank=True)),
                ("was_currency", models.TextField(blank=True)),
                ("destination", models.TextField(blank=True)),
                ("currency", models.TextField(blank=True)),
                ("calls", models.BigIntegerField()),
                ("was_billed", models.BigIntegerField()),
                ("billed", models.BigIntegerField()),
                ("was_micros", models.BigIntegerField()),
                ("micros", models.BigIntegerField()),
                (
                    "msp",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"
                    ),
                ),
                (
                    "proposal",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="sums",
                        to="rerating.proposal",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        to="tenants.customer",
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="proposal",
            index=models.Index(fields=["msp", "-created_at"], name="rerating_proposal_msp"),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("begins__lt", models.F("ends"))),
                name="rerating_proposal_period",
                violation_error_message="The period ends before it begins.",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(("sell", True), ("buy", True), _connector="OR"),
                name="rerating_proposal_some_side",
                violation_error_message="Choose what to rate: what customers pay, what carriers ask, or both.",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposal",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state", "applied"), _negated=True),
                    models.Q(("reason", ""), _negated=True),
                    _connector="OR",
                ),
                name="rerating_proposal_reason",
                violation_error_message="Say why: the reason stays with the entries.",
            ),
        ),
        migrations.AddConstraint(
            model_name="proposalsum",
            constraint=models.UniqueConstraint(fields=("proposal", "number"), name="rerating_proposalsum_once"),
        ),
        EnableRls("rerating_proposal", tenant_column=None, ingest=("select",), maintained=("select", "delete")),
        EnableRls(
            "rerating_proposalsum", tenant_column=None, ingest=("select",), maintained=("select", "insert", "delete")
        ),
        migrations.RunSQL(LINE, "DROP TABLE rerating_line"),
        EnableRls("rerating_line", tenant_column=None, ingest=("select",), maintained=("select",)),
        # What a proposal found is the owner's to write and nobody's to change; customers have nothing to do with it.
        migrations.RunSQL(
            f"""
            REVOKE INSERT, UPDATE, DELETE ON {OWNED} FROM {APP}, {INGEST};
            REVOKE INSERT, UPDATE, DELETE ON rerating_proposalsum, rerating_line FROM {MSP};
            """,
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {OWNED} TO {APP}, {MSP}, {INGEST}",
        ),
    ]
