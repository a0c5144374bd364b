"""Card payments and reminders: a customer reads its own payments, saved cards and what was sent to it."""

import uuid

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import portal.core.fields
from portal.db.rls import APP, INGEST, TENANT, EnableRls

OWN = f"tenant_id = {TENANT}"
SENT = f"{OWN} AND reminder_id IN (SELECT id FROM payments_reminder)"  # noqa: S608 (its policy leaves those sent)
SEEN = {
    "cardaccount": "", "cardpayer": "", "cardmethod": OWN, "cardattempt": OWN, "carddispute": "", "cardevent": "",
    "dunningsetting": "", "dunningstep": "", "dunningpause": "", "reminder": f"{OWN} AND state = 'released'",
    "reminderline": SENT,
}  # fmt: skip
TABLES = ", ".join(f"payments_{name}" for name in SEEN)


class Migration(migrations.Migration):
    dependencies = [
        ("payments", "0001_bank"),
        ("receivables", "0004_reversals"),
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="DunningSetting",
            fields=[
                (
                    "msp",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="tenants.msp",
                    ),
                ),
                (
                    "releases_itself",
                    models.BooleanField(
                        default=False,
                        help_text="Otherwise each night's reminders wait until you send them.",
                        verbose_name="send reminders by themselves",
                    ),
                ),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
            ],
        ),
        migrations.CreateModel(
            name="CardAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.TextField(
                        choices=[("stripe", "Stripe"), ("lab", "The lab's checkout, no real money")],
                        default="stripe",
                        verbose_name="gateway",
                    ),
                ),
                ("api_key", portal.core.fields.EncryptedTextField(blank=True, verbose_name="secret key")),
                (
                    "webhook_secret",
                    portal.core.fields.EncryptedTextField(blank=True, verbose_name="signing secret of the webhook"),
                ),
                ("hook", models.TextField(editable=False, unique=True)),
                ("is_on", models.BooleanField(default=True, verbose_name="customers can pay by card")),
                (
                    "collects",
                    models.BooleanField(
                        default=False,
                        help_text="On the day an invoice is due, for customers who saved a card for that.",
                        verbose_name="charge saved cards by itself",
                    ),
                ),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "entity",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="card_account",
                        to="receivables.legalentity",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CardMethod",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.TextField()),
                ("brand", models.TextField(verbose_name="kind")),
                ("last4", models.TextField(verbose_name="ends in")),
                ("month", models.PositiveSmallIntegerField()),
                ("year", models.PositiveSmallIntegerField()),
                ("is_default", models.BooleanField(default=False, verbose_name="charged by itself")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="saved")),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="methods", to="payments.cardaccount"
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
            name="CardAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("checkout", "At the checkout"),
                            ("saved", "With a saved card"),
                            ("collect", "By itself, when due"),
                            ("top_up", "Top-up"),
                        ],
                        verbose_name="how",
                    ),
                ),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("open", "Waiting"),
                            ("action", "Waits for its owner"),
                            ("succeeded", "Paid"),
                            ("failed", "Failed"),
                            ("expired", "Given up"),
                        ],
                        default="open",
                    ),
                ),
                ("currency", models.TextField()),
                ("amount", models.BigIntegerField(verbose_name="amount")),
                (
                    "invoices",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), blank=True, default=list, size=None
                    ),
                ),
                ("saves", models.BooleanField(default=False)),
                ("session", models.TextField(blank=True)),
                ("intent", models.TextField(blank=True)),
                ("words", models.TextField(blank=True)),
                ("started_by", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="started")),
                ("refunded", models.BigIntegerField(default=0)),
                ("refund_booked", models.BigIntegerField(default=0)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="attempts", to="payments.cardaccount"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "payment",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="card_attempt",
                        to="receivables.payment",
                    ),
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
                (
                    "method",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="payments.cardmethod",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CardPayer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.TextField()),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="payers", to="payments.cardaccount"
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
            name="DunningPause",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "kind",
                    models.TextField(
                        choices=[("pause", "Left alone"), ("dispute", "Disputed"), ("promise", "Promised to pay")],
                        default="pause",
                        verbose_name="why",
                    ),
                ),
                (
                    "until",
                    models.DateField(
                        blank=True,
                        help_text="The last day; empty is until ended.",
                        null=True,
                        verbose_name="until",
                    ),
                ),
                (
                    "note",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(200)], verbose_name="note"),
                ),
                ("ended_at", models.DateTimeField(blank=True, editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "invoice",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="receivables.invoice",
                        verbose_name="invoice",
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
            name="DunningStep",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "after_days",
                    models.PositiveSmallIntegerField(
                        validators=[django.core.validators.MaxValueValidator(365)],
                        verbose_name="days after the due date",
                    ),
                ),
                (
                    "title",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(60)], verbose_name="title"),
                ),
                (
                    "words",
                    models.TextField(
                        validators=[django.core.validators.MaxLengthValidator(1000)], verbose_name="words"
                    ),
                ),
                (
                    "fee",
                    models.BigIntegerField(
                        default=0, help_text="In the invoice's currency; 0 is none.", verbose_name="fee"
                    ),
                ),
                (
                    "interest_per_million",
                    models.PositiveIntegerField(
                        default=0,
                        validators=[django.core.validators.MaxValueValidator(300000)],
                        verbose_name="interest a year",
                    ),
                ),
                ("tells_msp", models.BooleanField(default=False, verbose_name="mail to us, too")),
                (
                    "suspends",
                    models.BooleanField(
                        default=False,
                        help_text="In and out, until what was reminded of is paid. Emergency calls always pass.",
                        verbose_name="stop ordinary calls",
                    ),
                ),
                ("is_on", models.BooleanField(default=True, verbose_name="in use")),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Reminder",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("currency", models.TextField()),
                ("title", models.TextField(verbose_name="step")),
                ("words", models.TextField(blank=True)),
                ("fee", models.BigIntegerField(default=0)),
                ("interest", models.BigIntegerField(default=0)),
                ("total", models.BigIntegerField(default=0, verbose_name="to be paid")),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("proposed", "Proposed"),
                            ("released", "Sent"),
                            ("withdrawn", "Paid before it was sent"),
                            ("dropped", "Not sent"),
                        ],
                        default="proposed",
                    ),
                ),
                ("proposed_on", models.DateField(verbose_name="proposed on")),
                ("released_on", models.DateField(blank=True, null=True, verbose_name="sent on")),
                ("suspended_at", models.DateTimeField(blank=True, null=True)),
                ("resumed_at", models.DateTimeField(blank=True, null=True)),
                (
                    "entity",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="receivables.legalentity"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "step",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="reminders", to="payments.dunningstep"
                    ),
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
            name="ReminderLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("left", models.BigIntegerField()),
                ("days", models.PositiveIntegerField()),
                ("interest", models.BigIntegerField(default=0)),
                (
                    "invoice",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="reminder_lines",
                        to="receivables.invoice",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "reminder",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="lines", to="payments.reminder"
                    ),
                ),
                (
                    "step",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="payments.dunningstep"
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
        migrations.CreateModel(
            name="CardDispute",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("reference", models.TextField()),
                ("reason", models.TextField(blank=True)),
                ("amount", models.BigIntegerField()),
                ("withdrawn", models.BooleanField(default=False)),
                ("reinstated", models.BooleanField(default=False)),
                (
                    "attempt",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="disputes", to="payments.cardattempt"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "returned",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="receivables.payment",
                    ),
                ),
                (
                    "reversal",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="receivables.reversal",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.customer"
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("attempt", "reference"), name="payments_dispute_once")],
            },
        ),
        migrations.CreateModel(
            name="CardEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("event", models.TextField()),
                ("kind", models.TextField()),
                ("intent", models.TextField(blank=True)),
                ("fact", models.JSONField(default=dict)),
                (
                    "outcome",
                    models.TextField(
                        choices=[
                            ("booked", "Booked"),
                            ("noted", "Noted"),
                            ("waiting", "Waits for its payment"),
                            ("refused", "Refused"),
                        ],
                        default="noted",
                    ),
                ),
                ("words", models.TextField(blank=True)),
                ("received_at", models.DateTimeField(auto_now_add=True)),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="events", to="payments.cardaccount"
                    ),
                ),
                (
                    "attempt",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="events",
                        to="payments.cardattempt",
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["account", "intent"], name="payments_event_intent")],
                "constraints": [models.UniqueConstraint(fields=("account", "event"), name="payments_event_once")],
            },
        ),
        migrations.AddConstraint(
            model_name="cardmethod",
            constraint=models.UniqueConstraint(fields=("account", "reference"), name="payments_method_once"),
        ),
        migrations.AddConstraint(
            model_name="cardmethod",
            constraint=models.UniqueConstraint(
                condition=models.Q(("is_default", True)),
                fields=("tenant", "account"),
                name="payments_method_one_default",
            ),
        ),
        migrations.AddIndex(
            model_name="cardattempt",
            index=models.Index(fields=["msp", "-created_at"], name="payments_attempt_newest"),
        ),
        migrations.AddConstraint(
            model_name="cardattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(("amount__gt", 0)), name="payments_attempt_is_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="cardattempt",
            constraint=models.UniqueConstraint(
                condition=models.Q(("intent", ""), _negated=True),
                fields=("account", "intent"),
                name="payments_attempt_intent_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardattempt",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("payment__isnull", False), ("state", "succeeded")),
                    models.Q(models.Q(("state", "succeeded"), _negated=True), ("payment__isnull", True)),
                    _connector="OR",
                ),
                name="payments_attempt_paid_is_booked",
            ),
        ),
        migrations.AddConstraint(
            model_name="cardpayer",
            constraint=models.UniqueConstraint(fields=("account", "tenant"), name="payments_payer_once"),
        ),
        migrations.AddConstraint(
            model_name="dunningpause",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "promise"), _negated=True), ("until__isnull", False), _connector="OR"
                ),
                name="payments_pause_promise_has_day",
                violation_error_message="A promise to pay has a day.",
            ),
        ),
        migrations.AddConstraint(
            model_name="dunningstep",
            constraint=models.UniqueConstraint(
                fields=("msp", "after_days"),
                name="payments_step_day_once",
                violation_error_message="There is a step on this day already.",
            ),
        ),
        migrations.AddConstraint(
            model_name="dunningstep",
            constraint=models.CheckConstraint(
                condition=models.Q(("fee__gte", 0)),
                name="payments_step_fee",
                violation_error_message="A fee is not below zero.",
            ),
        ),
        migrations.AddIndex(
            model_name="reminder",
            index=models.Index(fields=["msp", "state", "-id"], name="payments_reminder_state"),
        ),
        migrations.AddConstraint(
            model_name="reminder",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("released_on__isnull", False), ("state", "released")),
                    models.Q(
                        models.Q(("state", "released"), _negated=True),
                        ("released_on__isnull", True),
                        ("suspended_at__isnull", True),
                    ),
                    _connector="OR",
                ),
                name="payments_reminder_sent_has_day",
            ),
        ),
        migrations.AddConstraint(
            model_name="reminderline",
            constraint=models.UniqueConstraint(fields=("invoice", "step"), name="payments_line_once_a_step"),
        ),
        *(EnableRls(f"payments_{name}", tenant_column=None, app_select=seen) for name, seen in SEEN.items()),
        migrations.RunSQL(
            [f"REVOKE ALL ON {TABLES} FROM {INGEST}", f"REVOKE INSERT, UPDATE, DELETE ON {TABLES} FROM {APP}"],
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON {TABLES} TO {APP}, {INGEST}",
        ),
    ]
