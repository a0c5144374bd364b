"""Customers' roles may look into exemptions and answers about VAT ids: row-level security leaves them nothing there.

Without the right to look, whatever reads a customer's rows of every table would stop at these two.
"""

from django.db import migrations

from portal.db.rls import APP


class Migration(migrations.Migration):
    dependencies = [("receivables", "0006_vat_rates")]

    operations = [
        migrations.RunSQL(
            f"GRANT SELECT ON receivables_exemption, receivables_vatidcheck TO {APP}",
            f"REVOKE SELECT ON receivables_exemption, receivables_vatidcheck FROM {APP}",  # noqa: S608 (a role of ours)
        )
    ]
