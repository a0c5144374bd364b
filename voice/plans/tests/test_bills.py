from datetime import date

from voice.plans.bills import UsageSum, plan_bill

JUNE = date(2026, 6, 1), date(2026, 7, 1)


def test_without_a_contract_a_month_costs_its_calls():
    usage = [
        UsageSum("out", "Germany", "EUR", calls=3, seconds=170, billed=180, micros=35_700),
        UsageSum("in", "", "EUR", calls=2, seconds=90, billed=90, micros=0),
        UsageSum("out", "France", "USD", calls=1, seconds=60, billed=60, micros=20_000),
    ]

    bill = plan_bill(1, *JUNE, "EUR", usage)

    assert [(item.kind, item.group, item.text, item.micros, item.quantity, item.seconds, item.currency)
            for item in bill.items] == [
        ("usage", "out", "Calls to Germany", 35_700, 3, 180, ""),
        ("usage", "in", "Incoming calls", 0, 2, 90, ""),
        ("usage", "out", "Calls to France", 20_000, 1, 60, "USD"),
    ]  # fmt: skip
    assert bill.items[0].basis["destination"] == "Germany"
    assert not bill.covers
