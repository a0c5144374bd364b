"""The standard rates of VAT of the member states, Switzerland and Norway; where resellers of calls owe the VAT at home.

Collected for a start: docs/decisions/ says who has to check them before invoices rest on them. A change is a new row.
"""

from datetime import date

from django.db import migrations

# Country, rate in millionths, from, until (where it was for a time), the law.
RATES = [
    ("AT", 200_000, "1984-01-01", None, "§ 10 (1) UStG 1994"),
    ("BE", 210_000, "1996-01-01", None, "Arrêté royal no 20, art. 1er"),
    ("BG", 200_000, "1999-01-01", None, "ZDDS, art. 66"),
    ("CY", 190_000, "2014-01-13", None, "VAT Law 95(I)/2000, s. 17"),
    ("CZ", 210_000, "2013-01-01", None, "Zákon č. 235/2004 Sb., § 47"),
    ("DK", 250_000, "1992-01-01", None, "Momsloven § 33"),
    ("EE", 200_000, "2009-07-01", "2024-01-01", "Käibemaksuseadus § 15"),
    ("EE", 220_000, "2024-01-01", "2025-07-01", "Käibemaksuseadus § 15"),
    ("EE", 240_000, "2025-07-01", None, "Käibemaksuseadus § 15"),
    ("ES", 210_000, "2012-09-01", None, "Ley 37/1992, art. 90"),
    ("FI", 240_000, "2013-01-01", "2024-09-01", "Arvonlisäverolaki 84 §"),
    ("FI", 255_000, "2024-09-01", None, "Arvonlisäverolaki 84 §"),
    ("FR", 200_000, "2014-01-01", None, "CGI, art. 278"),
    ("GR", 240_000, "2016-06-01", None, "VAT Code (Law 2859/2000), art. 21"),
    ("HR", 250_000, "2012-03-01", None, "Zakon o PDV-u, čl. 38"),
    ("HU", 270_000, "2012-01-01", None, "Áfa törvény 82. §"),
    ("IE", 210_000, "2020-09-01", "2021-03-01", "VATCA 2010, s. 46"),
    ("IE", 230_000, "2021-03-01", None, "VATCA 2010, s. 46"),
    ("IT", 220_000, "2013-10-01", None, "DPR 633/1972, art. 16"),
    ("LT", 210_000, "2009-09-01", None, "PVM įstatymas, 19 str."),
    ("LU", 170_000, "2015-01-01", "2023-01-01", "Loi TVA, art. 39"),
    ("LU", 160_000, "2023-01-01", "2024-01-01", "Loi du 26 octobre 2022"),
    ("LU", 170_000, "2024-01-01", None, "Loi TVA, art. 39"),
    ("LV", 210_000, "2012-07-01", None, "PVN likums, 41. pants"),
    ("MT", 180_000, "2004-01-01", None, "VAT Act (Cap. 406), art. 19"),
    ("NL", 210_000, "2012-10-01", None, "Wet OB 1968, art. 9"),
    ("PL", 230_000, "2011-01-01", None, "Ustawa o VAT, art. 41 and 146ef"),
    ("PT", 230_000, "2011-01-01", None, "CIVA, art. 18"),
    ("RO", 190_000, "2017-01-01", "2025-08-01", "Codul fiscal, art. 291"),
    ("RO", 210_000, "2025-08-01", None, "Legea 141/2025; Codul fiscal, art. 291"),
    ("SE", 250_000, "1990-07-01", None, "Mervärdesskattelag (2023:200), 9 kap."),
    ("SI", 220_000, "2013-07-01", None, "ZDDV-1, 41. člen"),
    ("SK", 200_000, "2011-01-01", "2025-01-01", "Zákon č. 222/2004 Z. z., § 27"),
    ("SK", 230_000, "2025-01-01", None, "Zákon č. 222/2004 Z. z., § 27"),
    ("CH", 77_000, "2018-01-01", "2024-01-01", "MWSTG, art. 25"),
    ("CH", 81_000, "2024-01-01", None, "MWSTG, art. 25"),
    ("NO", 250_000, "2005-01-01", None, "Stortingets vedtak om merverdiavgift, § 2"),
]
# Where a domestic reseller of telecommunications owes the VAT: article 199a (1) (g) of Directive 2006/112/EC, and its
# British twin.
RESALE = [
    ("DE", "2021-01-01", "§ 13b (2) no. 12, (5) UStG"),
    ("FR", "2012-01-01", "CGI, art. 283, 2 octies"),
    ("GB", "2016-02-01", "Value Added Tax Act 1994, s. 55A; SI 2016/12"),
]


def store(apps, editor):
    """Store the rules."""
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
    for country, begins, source in RESALE:
        rule.objects.create(
            country=country,
            tax="resale",
            tax_class="telecom",
            name="VAT",
            begins=date.fromisoformat(begins),
            source=source,
        )


class Migration(migrations.Migration):
    dependencies = [("receivables", "0005_taxes_as_data")]

    operations = [migrations.RunPython(store, migrations.RunPython.noop)]
