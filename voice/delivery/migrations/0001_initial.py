import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

import portal.core.fields
from portal.db.rls import APP, INGEST, MSP, EnableRls

TABLES = ("feed", "message", "endpoint", "store", "delivery", "storedfile")


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("rating", "0002_charges"),
        ("tenants", "0005_retention"),
    ]

    operations = [
        migrations.CreateModel(
            name="Feed",
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
                ("began_at", models.DateTimeField()),
                ("marked_at", models.DateTimeField()),
                ("sequence", models.BigIntegerField(default=0)),
            ],
        ),
        migrations.CreateModel(
            name="Endpoint",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(80)], verbose_name="name"),
                ),
                ("url", models.URLField(max_length=500, verbose_name="address")),
                (
                    "kinds",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(), size=None, verbose_name="what it is sent"
                    ),
                ),
                ("secret", portal.core.fields.EncryptedTextField(editable=False)),
                (
                    "state",
                    models.TextField(
                        choices=[("active", "Active"), ("paused", "Paused")], default="active", editable=False
                    ),
                ),
                ("failing_since", models.DateTimeField(editable=False, null=True)),
                ("last_error", models.TextField(blank=True, editable=False)),
                ("delivered_at", models.DateTimeField(editable=False, null=True)),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "msp",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="webhooks", to="tenants.msp"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Message",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("sequence", models.BigIntegerField()),
                ("key", models.UUIDField(unique=True)),
                (
                    "kind",
                    models.TextField(
                        choices=[
                            ("calls.rated", "Rated calls"),
                            ("invoice.issued", "Invoices"),
                            ("credit_note.issued", "Credit notes"),
                            ("payment.recorded", "Payments"),
                            ("ping", "Test messages"),
                        ]
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "calls",
                    django.contrib.postgres.fields.ArrayField(base_field=models.UUIDField(), default=list, size=None),
                ),
                ("first_invited", models.DateTimeField(null=True)),
                ("last_invited", models.DateTimeField(null=True)),
                ("document", models.BigIntegerField(null=True)),
                (
                    "msp",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Delivery",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.TextField(
                        choices=[("waiting", "Waiting"), ("done", "Delivered"), ("failed", "Given up")],
                        default="waiting",
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
                ("status", models.PositiveIntegerField(null=True)),
                ("took_ms", models.PositiveIntegerField(null=True)),
                (
                    "msp",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"
                    ),
                ),
                (
                    "endpoint",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="delivery.endpoint",
                    ),
                ),
                (
                    "message",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="deliveries",
                        to="delivery.message",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="Store",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(80)], verbose_name="name"),
                ),
                (
                    "way",
                    models.TextField(
                        choices=[("sftp", "SFTP"), ("s3", "S3 bucket")], default="sftp", verbose_name="by"
                    ),
                ),
                (
                    "host",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(253)], verbose_name="host"),
                ),
                (
                    "port",
                    models.PositiveIntegerField(
                        default=22,
                        validators=[
                            django.core.validators.MinValueValidator(1),
                            django.core.validators.MaxValueValidator(65535),
                        ],
                        verbose_name="port",
                    ),
                ),
                (
                    "folder",
                    models.TextField(
                        blank=True,
                        validators=[django.core.validators.MaxLengthValidator(500)],
                        verbose_name="folder, or bucket and folder",
                    ),
                ),
                (
                    "username",
                    models.TextField(
                        validators=[django.core.validators.MaxLengthValidator(128)],
                        verbose_name="user name, or access key",
                    ),
                ),
                (
                    "secret",
                    portal.core.fields.EncryptedTextField(
                        blank=True, default="", verbose_name="password, private key or secret key"
                    ),
                ),
                (
                    "host_key",
                    models.TextField(
                        blank=True,
                        validators=[django.core.validators.MaxLengthValidator(2000)],
                        verbose_name="the server's host key",
                    ),
                ),
                (
                    "content",
                    models.TextField(
                        choices=[("calls", "Rated calls, CSV"), ("all", "Everything, JSON lines")],
                        default="calls",
                        verbose_name="content",
                    ),
                ),
                (
                    "every",
                    models.TextField(
                        choices=[("hour", "each hour"), ("day", "each day after midnight (UTC)")],
                        default="day",
                        verbose_name="when",
                    ),
                ),
                ("enabled", models.BooleanField(default=True, verbose_name="in use")),
                ("sequence", models.BigIntegerField(default=0, editable=False)),
                ("next_at", models.DateTimeField(editable=False)),
                ("row_version", models.PositiveIntegerField(default=0, editable=False)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "msp",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="file_stores", to="tenants.msp"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StoredFile",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "state",
                    models.TextField(
                        choices=[("waiting", "Waiting"), ("done", "Delivered"), ("failed", "Given up")],
                        default="waiting",
                    ),
                ),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("next_at", models.DateTimeField()),
                ("done_at", models.DateTimeField(null=True)),
                ("error", models.TextField(blank=True)),
                ("name", models.TextField()),
                ("first", models.BigIntegerField()),
                ("last", models.BigIntegerField()),
                ("size", models.BigIntegerField(null=True)),
                ("rows", models.BigIntegerField(null=True)),
                (
                    "msp",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"
                    ),
                ),
                (
                    "store",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="files",
                        to="delivery.store",
                    ),
                ),
            ],
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.UniqueConstraint(
                models.F("msp"),
                django.db.models.functions.text.Lower("name"),
                name="delivery_endpoint_name_once",
                violation_error_message="You already have a webhook with this name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="delivery_endpoint_has_name",
                violation_error_message="Give it a name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(("url__startswith", "https://"), ("url__startswith", "http://"), _connector="OR"),
                name="delivery_endpoint_is_web",
                violation_error_message="Use an address that begins with https://.",
            ),
        ),
        migrations.AddConstraint(
            model_name="endpoint",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    (
                        "kinds__contained_by",
                        ["calls.rated", "invoice.issued", "credit_note.issued", "payment.recorded"],
                    ),
                    ("kinds__len__gte", 1),
                ),
                name="delivery_endpoint_kinds_known",
                violation_error_message="Choose what it is sent.",
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(fields=["msp", "at"], name="delivery_message_recent"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(fields=("msp", "sequence"), name="delivery_message_number_once"),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.UniqueConstraint(
                condition=models.Q(("document", None), _negated=True),
                fields=("msp", "kind", "document"),
                name="delivery_message_document_once",
            ),
        ),
        migrations.AddConstraint(
            model_name="message",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("document", None), ("first_invited__isnull", False), ("kind", "calls.rated")),
                    models.Q(
                        ("document__isnull", False),
                        ("kind__in", ["invoice.issued", "credit_note.issued", "payment.recorded"]),
                    ),
                    ("kind", "ping"),
                    _connector="OR",
                ),
                name="delivery_message_tells_something",
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["endpoint", "next_at"], name="delivery_due"
            ),
        ),
        migrations.AddIndex(
            model_name="delivery",
            index=models.Index(fields=["message"], name="delivery_of_message"),
        ),
        migrations.AddConstraint(
            model_name="delivery",
            constraint=models.UniqueConstraint(fields=("endpoint", "message"), name="delivery_delivery_once"),
        ),
        migrations.AddConstraint(
            model_name="store",
            constraint=models.UniqueConstraint(
                models.F("msp"),
                django.db.models.functions.text.Lower("name"),
                name="delivery_store_name_once",
                violation_error_message="You already have a place with this name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="store",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="delivery_store_has_name",
                violation_error_message="Give it a name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="store",
            constraint=models.CheckConstraint(
                condition=models.Q(("host__regex", "^[0-9A-Za-z]([0-9A-Za-z.-]*[0-9A-Za-z])?$")),
                name="delivery_store_host_is_host",
                violation_error_message="Enter a host name, for example files.example.com.",
            ),
        ),
        migrations.AddConstraint(
            model_name="store",
            constraint=models.CheckConstraint(
                condition=models.Q(("folder__regex", "^[0-9A-Za-z][0-9A-Za-z._/-]*$|^$")),
                name="delivery_store_folder_is_plain",
                violation_error_message="Use letters, digits, dots, dashes and / only, without a / in front.",
            ),
        ),
        migrations.AddConstraint(
            model_name="store",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("way", "sftp"), _negated=True), models.Q(("host_key", ""), _negated=True), _connector="OR"
                ),
                name="delivery_store_sftp_has_key",
                violation_error_message="Give the server's host key: without it anybody could take the files.",
            ),
        ),
        migrations.AddConstraint(
            model_name="store",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("way", "s3"), _negated=True), models.Q(("folder", ""), _negated=True), _connector="OR"
                ),
                name="delivery_store_s3_has_bucket",
                violation_error_message="Name the bucket.",
            ),
        ),
        migrations.AddIndex(
            model_name="storedfile",
            index=models.Index(
                condition=models.Q(("state", "waiting")), fields=["store", "next_at"], name="delivery_file_due"
            ),
        ),
        migrations.AddConstraint(
            model_name="storedfile",
            constraint=models.UniqueConstraint(fields=("store", "first"), name="delivery_file_once"),
        ),
        migrations.AddConstraint(
            model_name="storedfile",
            constraint=models.CheckConstraint(
                condition=models.Q(("last__gte", models.F("first"))), name="delivery_file_range"
            ),
        ),
        # A customer's role has no policy and sees no row: what other systems are told is the MSP's.
        *(EnableRls(f"delivery_{table}", tenant_column=None, maintained=("select", "delete")) for table in TABLES),
        *(
            migrations.RunSQL(
                [
                    f"REVOKE ALL ON delivery_{table} FROM {INGEST}",
                    f"REVOKE INSERT, UPDATE, DELETE ON delivery_{table} FROM {APP}",
                ],
                f"GRANT SELECT, INSERT, UPDATE, DELETE ON delivery_{table} TO {APP}, {INGEST}",
            )
            for table in TABLES
        ),
        # What was told stays as it was told.
        migrations.RunSQL(
            f"REVOKE UPDATE, DELETE ON delivery_message FROM {MSP}",
            f"GRANT UPDATE, DELETE ON delivery_message TO {MSP}",
        ),
        # Calls are priced one after the other: this index is a few bytes a day and costs ingest next to nothing.
        migrations.RunSQL(
            "CREATE INDEX delivery_new_charges ON rating_charge USING brin (rated_at)",
            "DROP INDEX delivery_new_charges",
        ),
    ]
