"""American taxes to begin with: the federal factor of some quarters, and two states that ask the same in every town.

Collected for a start, like the rates of VAT: somebody has to check each row before invoices rest on it (decision 23). A
factor ends with its quarter, and nothing is billed after it until the next one is added. In states whose counties and
cities ask taxes of their own a row for the state alone would bill too little: these are not here.
"""

from datetime import date

from django.db import migrations

CHECK = "Collected from general knowledge: to be checked."
QUARTERS = "47 CFR § 54.709; FCC public notice of the universal service contribution factor, {quarter}. "
SAFE_HARBOUR = "Safe harbour for interconnected VoIP, FCC 06-94. "
# Quarter, the factor in millionths, its first day and the first day after it.
FACTORS = [
    ("first quarter 2025", 363_000, "2025-01-01", "2025-04-01"),
    ("second quarter 2025", 366_000, "2025-04-01", "2025-07-01"),
    ("third quarter 2025", 360_000, "2025-07-01", "2025-10-01"),
    ("fourth quarter 2025", 381_000, "2025-10-01", "2026-01-01"),
]
# State, tax, on what, name, rate in millionths, amount for each number in micros, since, law.
STATES = [
    ("NJ", "sales", "telecom", "NJ sales tax", 66_250, 0, "2018-01-01", "N.J.S.A. 54:32B-3 (f)(1). "),
    ("NJ", "sales", "goods", "NJ sales tax", 66_250, 0, "2018-01-01", "N.J.S.A. 54:32B-3 (a). "),
    ("NJ", "911", "telecom", "NJ 911 fee", 0, 900_000, "2004-07-01", "N.J.S.A. 52:17C-18. "),
    ("MA", "sales", "telecom", "MA sales tax", 62_500, 0, "2009-08-01", "M.G.L. c. 64H § 2; 830 CMR 64H.1.6. "),
    ("MA", "sales", "goods", "MA sales tax", 62_500, 0, "2009-08-01", "M.G.L. c. 64H § 2. "),
    ("MA", "911", "telecom", "MA 911 surcharge", 0, 1_500_000, "2019-01-01",
     "M.G.L. c. 6A § 18H. An example: the amount is set anew from time to time. "),
]  # fmt: skip


def store(apps, editor):
    """Store the rules."""
    rule = apps.get_model("receivables", "TaxRule")
    for quarter, factor, begins, ends in FACTORS:
        rule.objects.create(
            country="US", tax="usf", tax_class="telecom", name="Federal USF", per_million=factor,
            share_per_million=649_000, begins=date.fromisoformat(begins), ends=date.fromisoformat(ends),
            source=QUARTERS.format(quarter=quarter) + SAFE_HARBOUR + CHECK,
        )  # fmt: skip
    for state, tax, on, name, rate, fixed, begins, law in STATES:
        rule.objects.create(
            country="US", area=state, tax=tax, tax_class=on, name=name, per_million=rate, fixed=fixed,
            currency="USD" if fixed else "", begins=date.fromisoformat(begins), source=law + CHECK,
        )  # fmt: skip


class Migration(migrations.Migration):
    dependencies = [("receivables", "0013_registrations")]

    operations = [migrations.RunPython(store, migrations.RunPython.noop)]
