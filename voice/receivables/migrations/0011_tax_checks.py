"""Who compared a tax rule of everybody's with its source."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from portal.db.rls import APP, INGEST, MSP, TENANT, THIS_MSP, EnableRls

# The operator's console: neither a customer's portal nor an MSP's.
NO_PLACE = f"{TENANT} IS NULL AND {THIS_MSP} IS NULL"
OF_EVERYBODYS = "EXISTS (SELECT FROM receivables_taxrule r WHERE r.id = rule_id AND r.msp_id IS NULL)"


def policy(name, command, role, using="", check=""):
    """Return the operation that lets a role do something with the checks that a condition finds."""
    conditions = (f" USING ({using})" if using else "") + (f" WITH CHECK ({check})" if check else "")
    return migrations.RunSQL(
        f'CREATE POLICY "{name}" ON receivables_taxcheck FOR {command} TO {role}{conditions}',
        f'DROP POLICY "{name}" ON receivables_taxcheck',
    )


class Migration(migrations.Migration):
    dependencies = [("receivables", "0010_questions")]

    operations = [
        migrations.CreateModel(
            name="TaxCheck",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "outcome",
                    models.TextField(
                        choices=[("right", "It is right"), ("wrong", "It is wrong")],
                        default="right",
                        verbose_name="what came out",
                    ),
                ),
                ("checked_on", models.DateField(verbose_name="read on")),
                (
                    "page",
                    models.TextField(
                        blank=True,
                        help_text="The address of the page that you read, with https://.",
                        validators=[django.core.validators.MaxLengthValidator(500)],
                        verbose_name="where it stands",
                    ),
                ),
                (
                    "note",
                    models.TextField(
                        blank=True, validators=[django.core.validators.MaxLengthValidator(500)], verbose_name="note"
                    ),
                ),
                ("checked_by", models.TextField(editable=False)),
                (
                    "rule",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="checks",
                        to="receivables.taxrule",
                    ),
                ),
            ],
            options={
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("page", ""), ("page__regex", "^https?://"), _connector="OR"),
                        name="receivables_taxcheck_page",
                        violation_error_message="Write the whole address, with https://.",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("outcome", "right"), models.Q(("note", ""), _negated=True), _connector="OR"
                        ),
                        name="receivables_taxcheck_wrong_has_note",
                        violation_error_message="Say in the note what is wrong.",
                    ),
                ],
            },
        ),
        EnableRls("receivables_taxcheck", tenant_column=None, msp_column=None),
        policy("msp_reads", "SELECT", MSP, "true"),
        policy("operator_reads", "SELECT", APP, NO_PLACE),
        policy("operator_adds", "INSERT", APP, check=f"{NO_PLACE} AND {OF_EVERYBODYS}"),
        migrations.RunSQL(
            [
                f"REVOKE ALL ON receivables_taxcheck FROM {INGEST}",
                f"REVOKE INSERT, UPDATE, DELETE ON receivables_taxcheck FROM {MSP}",
                f"REVOKE UPDATE, DELETE ON receivables_taxcheck FROM {APP}",
            ],
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON receivables_taxcheck TO {APP}, {MSP}, {INGEST}",
        ),
    ]
