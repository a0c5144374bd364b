"""The standard rates of VAT in the countries of the demo, each with the law that says so."""

from datetime import date

from django.db import migrations

GERMANY = "§ 12 (1) UStG; 16 % from 2020-07-01 to 2020-12-31 by § 28 (1) UStG"
BRITAIN = "Value Added Tax Act 1994, s. 2 (1), as amended by Finance (No. 2) Act 2010, s. 3"
RATES = [
    ("DE", 190_000, "2007-01-01", "2020-07-01", GERMANY),
    ("DE", 160_000, "2020-07-01", "2021-01-01", GERMANY),
    ("DE", 190_000, "2021-01-01", None, GERMANY),
    ("GB", 200_000, "2011-01-04", None, BRITAIN),
]


def store(apps, editor):
    """Store the rates."""
    rule = apps.get_model("receivables", "TaxRule")
    for country, per_million, begins, ends, source in RATES:
        rule.objects.create(
            country=country,
            tax="vat",
            name="VAT",
            per_million=per_million,
            begins=date.fromisoformat(begins),
            ends=date.fromisoformat(ends) if ends else None,
            source=source,
        )


class Migration(migrations.Migration):
    dependencies = [("receivables", "0002_guards")]

    operations = [migrations.RunPython(store, migrations.RunPython.noop)]
