"""Decks, their versions and rates, files on their way in; who may see them, and no two rates at the same time."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.text
from django.db import migrations, models

import voice.rating.models.decks
from portal.db.rls import APP, TENANT, EnableRls

# Constant SQL. A customer's calls explain themselves by the rates of its own sell decks, and by no other.
GIVEN = f"SELECT deck_id FROM rating_customerdeck WHERE tenant_id = {TENANT}"  # noqa: S608
OWN_DECKS = f"kind = 'sell' AND id IN ({GIVEN})"
# Itself under row-level security: only decks that the customer may see are in it.
OWN_RATES = "deck_id IN (SELECT id FROM rating_ratedeck)"
SHOWN = "id, msp_id, kind, currency, zone, free, bands, row_version"
HIDE_NAMES = f"REVOKE SELECT ON rating_ratedeck FROM {APP}; GRANT SELECT ({SHOWN}) ON rating_ratedeck TO {APP}"  # noqa: S608
SHOW_NAMES = f"REVOKE SELECT ({SHOWN}) ON rating_ratedeck FROM {APP}; GRANT SELECT ON rating_ratedeck TO {APP}"  # noqa: S608

# Half-open spans of the same key never meet. What was replaced before it held is empty and meets nothing. The row that
# owns the spans is locked first, so that two transactions cannot each miss what the other adds.
REFUSE_OVERLAPS = """
CREATE FUNCTION rating_refuse_overlaps() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    found record;
BEGIN
    IF TG_TABLE_NAME = 'rating_deckrate' THEN
        PERFORM 1 FROM public.rating_ratedeck WHERE id IN (SELECT deck_id FROM written)
          ORDER BY id FOR NO KEY UPDATE;
        -- Planned anew each time: a hundred thousand rates are joined otherwise than one.
        EXECUTE $check$
            SELECT coalesce(nullif(w.prefix, ''), 'every number') AS what
              FROM written w JOIN public.rating_deckrate o
                ON o.deck_id = w.deck_id AND o.prefix = w.prefix AND o.direction = w.direction
               AND o.callers = w.callers AND o.id <> w.id
             WHERE w.begins < coalesce(w.ends, 'infinity') AND o.begins < coalesce(o.ends, 'infinity')
               AND w.begins < coalesce(o.ends, 'infinity') AND o.begins < coalesce(w.ends, 'infinity') LIMIT 1
        $check$ INTO found;
    ELSIF TG_TABLE_NAME = 'rating_customerdeck' THEN
        PERFORM pg_advisory_xact_lock(7301, tenant_id::int) FROM written ORDER BY tenant_id;
        SELECT 'The customer' AS what INTO found
          FROM written w JOIN public.rating_customerdeck o ON o.tenant_id = w.tenant_id AND o.id <> w.id
         WHERE w.begins < coalesce(w.ends, 'infinity') AND o.begins < coalesce(o.ends, 'infinity')
           AND w.begins < coalesce(o.ends, 'infinity') AND o.begins < coalesce(w.ends, 'infinity') LIMIT 1;
    ELSE
        PERFORM pg_advisory_xact_lock(7302, trunk::int) FROM written ORDER BY trunk;
        SELECT 'The trunk' AS what INTO found
          FROM written w JOIN public.rating_trunkdeck o ON o.trunk = w.trunk AND o.id <> w.id
         WHERE w.begins < coalesce(w.ends, 'infinity') AND o.begins < coalesce(o.ends, 'infinity')
           AND w.begins < coalesce(o.ends, 'infinity') AND o.begins < coalesce(w.ends, 'infinity') LIMIT 1;
    END IF;
    IF found.what IS NOT NULL THEN
        RAISE EXCEPTION '% has two prices at the same time.', found.what USING ERRCODE = 'exclusion_violation';
    END IF;
    RETURN NULL;
END $$;
"""
TABLES = ("rating_deckrate", "rating_customerdeck", "rating_trunkdeck")
TRIGGERS = "".join(
    f"CREATE TRIGGER {table}_no_two_{event.lower()} AFTER {event} ON {table} REFERENCING NEW TABLE AS written"
    f" FOR EACH STATEMENT EXECUTE FUNCTION rating_refuse_overlaps();"
    for table in TABLES
    for event in ("INSERT", "UPDATE")
)
NO_TRIGGERS = "".join(
    f"DROP TRIGGER {table}_no_two_{event} ON {table};" for table in TABLES for event in ("insert", "update")
)


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("tenants", "0004_operator_tokens"),
    ]

    operations = [
        migrations.CreateModel(
            name="DeckVersion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.PositiveIntegerField()),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("draft", "Draft"),
                            ("scheduled", "Scheduled"),
                            ("active", "Active"),
                            ("discarded", "Discarded"),
                        ],
                        default="draft",
                    ),
                ),
                ("effective_from", models.DateTimeField(verbose_name="in force from")),
                ("full", models.BooleanField(default=False)),
                (
                    "note",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(500)], verbose_name="note"
                    ),
                ),
                ("summary", models.JSONField(default=dict, editable=False)),
                ("imported_by", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("activated_at", models.DateTimeField(editable=False, null=True)),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DeckImport",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField(max_length=200, verbose_name="file")),
                ("content", models.BinaryField()),
                ("options", models.JSONField(default=dict)),
                (
                    "state",
                    models.TextField(
                        choices=[
                            ("asking", "Waiting for you"),
                            ("checking", "Checking"),
                            ("checked", "Ready to activate"),
                            ("activating", "Activating"),
                            ("done", "Done"),
                            ("failed", "Needs attention"),
                        ],
                        default="asking",
                    ),
                ),
                ("total", models.PositiveIntegerField(default=0)),
                ("good", models.PositiveIntegerField(default=0)),
                ("bad", models.PositiveIntegerField(default=0)),
                ("message", models.TextField(blank=True)),
                ("compared_with", models.PositiveIntegerField(null=True)),
                ("job_id", models.UUIDField(editable=False, null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "version",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE, related_name="file", to="rating.deckversion"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="RateDeck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "name",
                    models.TextField(validators=[django.core.validators.MaxLengthValidator(80)], verbose_name="name"),
                ),
                ("kind", models.TextField(choices=[("buy", "Buying"), ("sell", "Selling")], verbose_name="kind")),
                ("currency", models.CharField(max_length=3, verbose_name="currency")),
                ("zone", models.TextField(default="UTC", verbose_name="time zone")),
                (
                    "free",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.TextField(),
                        blank=True,
                        default=voice.rating.models.decks.free_by_default,
                        size=None,
                        verbose_name="free of charge",
                    ),
                ),
                ("bands", models.JSONField(blank=True, null=True, verbose_name="time bands")),
                ("mapping", models.JSONField(default=dict, editable=False)),
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
                        on_delete=django.db.models.deletion.PROTECT, related_name="decks", to="tenants.msp"
                    ),
                ),
            ],
        ),
        migrations.AddField(
            model_name="deckversion",
            name="deck",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="versions",
                to="rating.ratedeck",
            ),
        ),
        migrations.CreateModel(
            name="DeckRate",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("direction", models.TextField(default="out", verbose_name="direction")),
                ("prefix", models.TextField(blank=True, verbose_name="prefix")),
                ("callers", models.TextField(blank=True, default="", verbose_name="callers")),
                ("destination", models.TextField(blank=True, verbose_name="destination")),
                ("per_minute", models.BigIntegerField(verbose_name="per minute")),
                ("fee", models.BigIntegerField(default=0, verbose_name="connection fee")),
                ("minimum", models.PositiveIntegerField(default=1)),
                ("increment", models.PositiveIntegerField(default=1)),
                ("grace", models.PositiveIntegerField(default=0)),
                ("minimum_charge", models.BigIntegerField(default=0)),
                ("maximum_charge", models.BigIntegerField(null=True)),
                ("blocked", models.BooleanField(default=False)),
                ("band_prices", models.JSONField(default=dict)),
                ("begins", models.DateTimeField()),
                ("ends", models.DateTimeField(null=True)),
                (
                    "msp",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"
                    ),
                ),
                (
                    "ended_by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="ended",
                        to="rating.deckversion",
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="rates", to="rating.deckversion"
                    ),
                ),
                (
                    "deck",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="rates",
                        to="rating.ratedeck",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="CustomerDeck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("begins", models.DateTimeField(verbose_name="from")),
                ("ends", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="tenants.customer",
                    ),
                ),
                (
                    "deck",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="rating.ratedeck"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="TrunkDeck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("begins", models.DateTimeField(verbose_name="from")),
                ("ends", models.DateTimeField(blank=True, null=True, verbose_name="until")),
                ("trunk", models.BigIntegerField()),
                (
                    "deck",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="rating.ratedeck"
                    ),
                ),
                (
                    "msp",
                    models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"),
                ),
            ],
        ),
        migrations.CreateModel(
            name="DeckImportError",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("row", models.PositiveIntegerField()),
                ("column", models.TextField(blank=True)),
                ("value", models.TextField(blank=True)),
                ("words", models.TextField()),
                (
                    "batch",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="errors",
                        to="rating.deckimport",
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
                "indexes": [models.Index(fields=["batch", "row"], name="rating_import_error_row")],
            },
        ),
        migrations.CreateModel(
            name="DeckLine",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("row", models.PositiveIntegerField(default=0, verbose_name="line")),
                (
                    "change",
                    models.TextField(
                        choices=[
                            ("new", "New"),
                            ("up", "Dearer"),
                            ("down", "Cheaper"),
                            ("terms", "Other terms"),
                            ("gone", "Gone"),
                        ],
                        verbose_name="change",
                    ),
                ),
                ("rise", models.IntegerField(default=0)),
                ("alarm", models.BooleanField(default=False)),
                ("replaces", models.BigIntegerField(null=True)),
                ("before", models.BigIntegerField(null=True)),
                ("falls_to", models.BigIntegerField(null=True)),
                ("direction", models.TextField()),
                ("prefix", models.TextField(blank=True)),
                ("callers", models.TextField(blank=True)),
                ("destination", models.TextField(blank=True)),
                ("per_minute", models.BigIntegerField(null=True)),
                ("fee", models.BigIntegerField(default=0)),
                ("minimum", models.PositiveIntegerField(default=1)),
                ("increment", models.PositiveIntegerField(default=1)),
                ("grace", models.PositiveIntegerField(default=0)),
                ("minimum_charge", models.BigIntegerField(default=0)),
                ("maximum_charge", models.BigIntegerField(null=True)),
                ("blocked", models.BooleanField(default=False)),
                ("band_prices", models.JSONField(default=dict)),
                ("begins", models.DateTimeField()),
                ("ends", models.DateTimeField(null=True)),
                (
                    "msp",
                    models.ForeignKey(
                        db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tenants.msp"
                    ),
                ),
                (
                    "version",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="lines",
                        to="rating.deckversion",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(fields=["version", "-rise"], name="rating_line_worst"),
                    models.Index(fields=["version", "prefix"], name="rating_line_prefix"),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="ratedeck",
            constraint=models.UniqueConstraint(
                models.F("msp"),
                django.db.models.functions.text.Lower("name"),
                condition=models.Q(("closed_at", None)),
                name="rating_deck_name_once",
                violation_error_message="You already have a deck with this name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="ratedeck",
            constraint=models.CheckConstraint(
                condition=models.Q(("name", ""), _negated=True),
                name="rating_deck_has_name",
                violation_error_message="Give the deck a name.",
            ),
        ),
        migrations.AddConstraint(
            model_name="ratedeck",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["buy", "sell"])),
                name="rating_deck_kind_known",
                violation_error_message="A deck is for buying or for selling.",
            ),
        ),
        migrations.AddConstraint(
            model_name="ratedeck",
            constraint=models.CheckConstraint(
                condition=models.Q(("currency__regex", "^[A-Z]{3}$")),
                name="rating_deck_currency_code",
                violation_error_message="Use a currency code of three letters, for example EUR.",
            ),
        ),
        migrations.AddConstraint(
            model_name="deckversion",
            constraint=models.UniqueConstraint(fields=("deck", "number"), name="rating_version_number_once"),
        ),
        migrations.AddConstraint(
            model_name="deckversion",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["draft", "active", "discarded"])), name="rating_version_state_known"
            ),
        ),
        migrations.AddIndex(
            model_name="deckrate",
            index=models.Index(fields=["deck", "prefix", "direction", "callers", "begins"], name="rating_rate_key"),
        ),
        migrations.AddConstraint(
            model_name="deckrate",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ends", None)),
                fields=("deck", "prefix", "direction", "callers"),
                name="rating_rate_one_open",
            ),
        ),
        migrations.AddConstraint(
            model_name="deckrate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("callers__regex", "^[0-9]{0,15}$"),
                    ("direction__in", ["out", "in", "internal", "emergency"]),
                    ("prefix__regex", "^[0-9]{0,15}$"),
                ),
                name="rating_rate_shape",
            ),
        ),
        migrations.AddConstraint(
            model_name="deckrate",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("fee__gte", 0),
                    ("increment__gte", 1),
                    ("minimum_charge__gte", 0),
                    ("per_minute__gte", 0),
                    models.Q(
                        ("maximum_charge", None), ("maximum_charge__gte", models.F("minimum_charge")), _connector="OR"
                    ),
                ),
                name="rating_rate_amounts",
            ),
        ),
        migrations.AddConstraint(
            model_name="deckrate",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends", None), ("ends__gte", models.F("begins")), _connector="OR"),
                name="rating_rate_ends_later",
            ),
        ),
        migrations.AddIndex(
            model_name="customerdeck",
            index=models.Index(fields=["tenant", "begins"], name="rating_customerdeck_time"),
        ),
        migrations.AddConstraint(
            model_name="customerdeck",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ends", None)), fields=("tenant",), name="rating_customerdeck_one_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="customerdeck",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends", None), ("ends__gte", models.F("begins")), _connector="OR"),
                name="rating_customerdeck_ends_later",
            ),
        ),
        migrations.AddIndex(
            model_name="trunkdeck",
            index=models.Index(fields=["trunk", "begins"], name="rating_trunkdeck_time"),
        ),
        migrations.AddConstraint(
            model_name="trunkdeck",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ends", None)), fields=("trunk",), name="rating_trunkdeck_one_open"
            ),
        ),
        migrations.AddConstraint(
            model_name="trunkdeck",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends", None), ("ends__gte", models.F("begins")), _connector="OR"),
                name="rating_trunkdeck_ends_later",
            ),
        ),
        # Whom a deck prices comes first: the policies of decks and rates ask it.
        EnableRls("rating_customerdeck", tenant_column=None, app_select=f"tenant_id = {TENANT}", ingest=("select",)),
        EnableRls("rating_trunkdeck", tenant_column=None, ingest=("select",)),
        EnableRls("rating_ratedeck", tenant_column=None, app_select=OWN_DECKS, ingest=("select",)),
        # What the MSP calls its decks and notes about them is no customer's business.
        migrations.RunSQL(HIDE_NAMES, SHOW_NAMES),
        EnableRls("rating_deckrate", tenant_column=None, app_select=OWN_RATES, ingest=("select",)),
        EnableRls("rating_deckversion", tenant_column=None),
        EnableRls("rating_deckimport", tenant_column=None),
        EnableRls("rating_deckimporterror", tenant_column=None),
        EnableRls("rating_deckline", tenant_column=None),
        migrations.RunSQL(REFUSE_OVERLAPS, "DROP FUNCTION rating_refuse_overlaps()"),
        migrations.RunSQL(TRIGGERS, NO_TRIGGERS),
    ]
