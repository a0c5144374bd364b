import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, MSP, EnableRls


class Migration(migrations.Migration):
    dependencies = [
        ("receivables", "0009_runs"),
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="LineQuestion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("position", models.PositiveIntegerField()),
                (
                    "text",
                    models.TextField(
                        validators=[django.core.validators.MaxLengthValidator(2000)], verbose_name="question"
                    ),
                ),
                ("disputed", models.BigIntegerField(default=0)),
                ("currency", models.TextField()),
                ("attached", models.JSONField(default=dict)),
                ("state", models.TextField(choices=[("open", "Open"), ("answered", "Answered")], default="open")),
                ("asked_by_id", models.BigIntegerField(blank=True, null=True)),
                ("asked_by", models.TextField(blank=True)),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                (
                    "answer",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(2000)], verbose_name="answer"
                    ),
                ),
                ("answered_by", models.TextField(blank=True)),
                ("answered_at", models.DateTimeField(blank=True, null=True)),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="questions", to="receivables.invoice"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.customer",
                        verbose_name="customer",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Notice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.TextField(choices=[("bill", "Bill"), ("question", "Question"), ("answer", "Answer")])),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("sent_to", models.JSONField(default=list)),
                ("done_at", models.DateTimeField(blank=True, null=True)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="receivables.invoice"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "question",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="receivables.linequestion",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
                    ),
                ),
            ],
        ),
        migrations.AddIndex(
            model_name="linequestion",
            index=models.Index(fields=["msp", "-id"], name="receivables_question_newest"),
        ),
        migrations.AddIndex(
            model_name="linequestion",
            index=models.Index(fields=["invoice", "position"], name="receivables_question_line"),
        ),
        migrations.AddConstraint(
            model_name="linequestion",
            constraint=models.CheckConstraint(
                condition=models.Q(("text", ""), _negated=True),
                name="receivables_question_has_text",
                violation_error_message="Write what you want to know.",
            ),
        ),
        migrations.AddConstraint(
            model_name="linequestion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("answer", ""), ("answered_at", None), ("state", "open")),
                    models.Q(
                        ("answered_at__isnull", False), ("state", "answered"), models.Q(("answer", ""), _negated=True)
                    ),
                    _connector="OR",
                ),
                name="receivables_question_answered_is_whole",
                violation_error_message="Write the answer.",
            ),
        ),
        migrations.AddIndex(
            model_name="notice",
            index=models.Index(
                condition=models.Q(("done_at", None)), fields=["msp", "id"], name="receivables_notice_waiting"
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.UniqueConstraint(
                fields=("invoice", "question", "kind"), name="receivables_notice_once", nulls_distinct=False
            ),
        ),
        migrations.AddConstraint(
            model_name="notice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "bill"), ("question", None)),
                    models.Q(models.Q(("kind", "bill"), _negated=True), ("question__isnull", False)),
                    _connector="OR",
                ),
                name="receivables_notice_of_question",
            ),
        ),
        EnableRls("receivables_linequestion"),
        EnableRls("receivables_notice"),
        # A customer asks and reads; what was asked is not changed, and what was answered is the MSP's to write.
        migrations.RunSQL(
            f"""
            REVOKE ALL ON receivables_linequestion, receivables_notice FROM {INGEST};
            REVOKE UPDATE, DELETE ON receivables_linequestion, receivables_notice FROM {APP};
            REVOKE DELETE ON receivables_linequestion FROM {MSP};
            """,
            f"""
            GRANT ALL ON receivables_linequestion, receivables_notice TO {INGEST};
            GRANT UPDATE, DELETE ON receivables_linequestion, receivables_notice TO {APP};
            GRANT DELETE ON receivables_linequestion TO {MSP};
            """,
        ),
    ]
