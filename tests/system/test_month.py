"""A month from the first call to the last cent: five customers on five plans, and every process killed on the way."""

import csv
import os
import random
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.system import month_sums
from tests.system.installation import Installation
from tests.system.month import Month
from tests.system.month_deals import DEALS, IBAN, midnight, next_month
from voice.payments.gateway import Order, lab
from voice.payments.tests import papers
from voice.receivables.references import creditor_reference

MICROS = 1_000_000
# Who pays how.
BY_BANK, BY_CHECKOUT, BY_WEBHOOK, AHEAD = ("perminute", "seats"), "volume", "bundles", "trunk"
# The worker of an invoice run is killed once: when the first customer is as one of these says.
COLLECTING = "state <> 'waiting'"
ISSUING = "EXISTS (SELECT FROM receivables_invoice i WHERE i.id = invoice_id AND i.state = 'issued')"


@pytest.fixture
def month(installation: Installation, tmp_path: Path) -> Iterator[Month]:
    """Five customers of an MSP of their own, with a node that carries their month."""
    seed = int(os.environ.get("MONTH_SEED") or random.randrange(10**6))
    print(f"MONTH_SEED={seed}")
    made = Month(installation, tmp_path, seed)
    try:
        yield made
    finally:
        made.leave()


def test_a_month_is_rated_billed_and_paid_to_the_cent_while_every_process_dies(month: Month):
    month.wait(month.installation.is_live, 60, "the customers to be live")
    pay_ahead(month)
    killer = month.carry()
    month.wait(lambda: month.stored() >= len(month.calls), 120, "all records to arrive")
    assert killer.spared == []
    month.wait(month.all_is_back, 90, "every process to be back")

    every_record_is_there_once_with_its_price(month)
    rating_again_differs_by_nothing(month)
    bills = bill(month)
    pay(month, bills)
    every_line_opens_to_its_calls(month, bills)
    what_nodes_counted_is_what_is_stored(month)


def pay_ahead(month: Month) -> None:
    """Let the prepaid customer top up by card; the gateway tells twice."""
    buyer = month.desk(AHEAD, month.customers[AHEAD]["token"])
    begun = buyer.tell("card-payments/top-up/", amount=DEALS[AHEAD].prepaid)
    tell_of_payment(month, begun, times=2)


def tell_of_payment(month: Month, begun: dict[str, Any], times: int) -> None:
    """Send the gateway's signed events about a checkout that was paid, and a forged one before."""
    order = Order(begun["key"], begun["amount"] // month_sums.CENT, "EUR", "", metadata={"attempt": begun["key"]})
    hook = f"/hooks/cards/{month.world['hook']}/"
    for event in lab.checkout_events(order, last4=lab.GOOD, at=int(time.time())):
        body, forged = lab.signed(event, "whsec_of_somebody_else")
        assert month.msp.post(hook, body, **{"Stripe-Signature": forged}) == 400
        body, signature = lab.signed(event, month.world["secret"])
        for _time in range(times):
            assert month.msp.post(hook, body, **{"Stripe-Signature": signature}) == 200


def every_record_is_there_once_with_its_price(month: Month) -> None:
    """Hold records, quarantine, charges, sums and accounts against the calls, to the micro."""
    # One more comes twice, and one is of a customer that nobody has.
    first, stranger = month.calls[0], replace(month.calls[1], id=str(uuid.uuid4()), customer="stranger")
    month.node.write(month.raw([first, stranger], stranger=2**31 - 1))
    total = len(month.calls) + 2
    month.wait(lambda: month.stored() >= total, 30, "the last two records")

    found = month.rows("SELECT id::text, sequence FROM calls_cdr WHERE node_name = %s", month.world["node_name"])
    aside = month.rows("SELECT sequence FROM sbc_quarantinedrecord WHERE node_id = %s", month.world["node"])
    assert sorted(key for key, _sequence in found) == sorted(call.id for call in month.calls)
    assert sorted([*(sequence for _key, sequence in found), *(row[0] for row in aside)]) == list(range(1, total + 1))
    assert len(aside) == 2

    answered = {call.id: call for call in month.calls if call.answered is not None}
    charges = month.rows(
        "SELECT id::text, outcome, micros, seconds FROM rating_charge WHERE msp_id = %s", month.world["msp"]
    )
    assert {row[0]: row[2:] for row in charges} == {
        key: (month_sums.price(call), call.seconds) for key, call in answered.items()
    }
    assert Counter(row[1] for row in charges)["no_length"] == 1
    sold = sum(row[2] for row in charges)
    for sums in ("rating_usage WHERE grain = 'hour' AND", "rating_usage WHERE grain = 'day' AND"):
        assert month.rows(f"SELECT sum(micros) FROM {sums} msp_id = %s", month.world["msp"]) == [(sold,)]
    moved = month.rows("SELECT sum(balance_micros) FROM rating_account WHERE msp_id = %s", month.world["msp"])
    assert moved == [(DEALS[AHEAD].prepaid - sold,)]


def rating_again_differs_by_nothing(month: Month) -> None:
    """Rate the month again, what carriers ask included, and apply it: nothing is posted."""
    begins, ends = (midnight(day).isoformat() for day in (month.begins, next_month(month.begins)))
    asked = month.msp.tell("proposals/", begins=begins, ends=ends, sell=True, buy=True)
    found = month.proposal(asked["id"], "ready")
    # The call without a second has no price, neither for its customer nor over its trunk.
    assert (found["changed"], found["priced"], found["left"]) == (0, 0, 2), found
    lines = month.msp.ask(f"proposals/{asked['id']}/lines/", limit=200)
    assert {line["customer"] for line in lines if line["side"] == "sell"} == set(month.tenants.values())
    assert all(line["micros"] == line["was_micros"] for line in lines)

    month.msp.tell(f"proposals/{asked['id']}/apply/", round=found["round"], reason="To see that nothing happens")
    month.proposal(asked["id"], "applied")
    assert month.rows("SELECT count(*) FROM rerating_adjustment WHERE msp_id = %s", month.world["msp"]) == [(0,)]


def bill(month: Month) -> dict[str, dict[str, Any]]:
    """Bill the month; return each customer's invoice as the MSP's API tells it."""
    run = month.msp.tell("invoice-runs/", begins=month.begins.isoformat())["id"]
    killed = month.chance.choice((COLLECTING, ISSUING))
    month.run_over(run, killed if killed == COLLECTING else "")
    # A call without a second waits for somebody who decides; its customer is left out until then.
    findings = month.msp.ask("run-findings/", run=run)
    assert {(each["code"], each["customer"]) for each in findings if each["level"] == "error"} == {
        ("aside", month.tenants["perminute"])
    }
    waiting = [call["id"] for call in month.msp.ask("unrated-calls/")]
    assert len(waiting) == 1
    month.msp.tell("decisions/", calls=waiting, kind="free", reason="Nobody said a word")
    month.wait(lambda: not month.msp.ask("unrated-calls/"), 60, "the decision")
    month.msp.tell(f"invoice-runs/{run}/collect/")
    month.run_over(run)
    for finding in month.msp.ask("run-findings/", run=run):
        assert finding["level"] != "error", finding
        if finding["level"] == "warning":
            month.msp.tell(f"run-findings/{finding['id']}/tick/")
    assert month.msp.tell(f"invoice-runs/{run}/approve/")["newly_approved"] == len(DEALS)
    month.msp.tell(f"invoice-runs/{run}/issue/")
    month.run_over(run, killed if killed == ISSUING else "")

    bills = {label: month.invoice_of(pk) for label, pk in month.tenants.items()}
    assert sorted(each["number"] for each in bills.values()) == [f"{date.today().year}-{n:05}" for n in range(1, 6)]
    for label, found in bills.items():
        deal, lines = DEALS[label], {line["text"]: line["exact"] for line in found["lines"] if line["exact"]}
        assert lines == month_sums.bill(label, month.calls, month.begins, deal.people, deal.numbers), label
        net = sum(month_sums.rounded(micros) for micros in lines.values())
        tax = month_sums.rounded(month_sums.half_up(net * 19, 100))
        assert (found["net"], found["tax"], found["total"]) == (net, tax, net + tax)
    files_are_made(month, bills, killed=killed == ISSUING)
    return bills


def files_are_made(month: Month, bills: dict[str, dict[str, Any]], *, killed: bool) -> None:
    """Wait for each bill's PDF and e-invoices; whoever was to make them may be dead."""
    count = "SELECT count(*) FROM receivables_invoicefile WHERE msp_id = %s"
    whole = [(3 * len(bills),)]
    month.go_on(lambda: month.rows(count, month.world["msp"]) == whole, "a PDF and two e-invoices each", killed=killed)
    for kind, begins in (("pdf", b"%PDF"), ("xml", b"<?xml"), ("ubl", b"<?xml")):
        assert month.msp.file(f"/api/v1/invoices/{bills['seats']['id']}/files/{kind}/").startswith(begins)


def pay(month: Month, bills: dict[str, dict[str, Any]]) -> None:
    """Pay two bills by bank, one at the checkout, one by card of which a webhook tells; one was paid ahead."""
    entries = [
        papers.entry(
            Decimal(bills[label]["total"]) / MICROS, ref=creditor_reference(bills[label]["number"]),
            payer=label, bank_ref=f"{month.slug} {label}",
        )
        for label in BY_BANK
    ]  # fmt: skip
    closing = 100 + Decimal(sum(bills[label]["total"] for label in BY_BANK)) / MICROS
    paper = papers.statement(*entries, closing=closing, iban=IBAN, name=month.slug)
    month.job(month.msp.tell("bank-statements/", entity=month.world["entity"], content=paper.decode())["job"])
    told = month.job(month.msp.tell("bank-entries/")["job"])
    assert (told["booked"], told["left"]) == (2, 0)

    for label, facts in month.customers.items():
        month.people[label].log_in(facts["email"])
    payer = month.people[BY_CHECKOUT]
    payer.page("/bills/pay/")
    checkout = payer.send("/bills/pay/", what=bills[BY_CHECKOUT]["id"], card="new")
    assert "lab-checkout" in checkout
    assert "/bills/pay/" in payer.send(checkout, card=lab.GOOD)

    buyer = month.desk(BY_WEBHOOK, month.customers[BY_WEBHOOK]["token"])
    tell_of_payment(month, buyer.tell("card-payments/", bills=[bills[BY_WEBHOOK]["id"]]), times=2)

    for label, pk in month.tenants.items():
        assert month.invoice_of(pk)["left"] == 0, label
    uneven = "SELECT entry_id FROM receivables_posting WHERE msp_id = %s GROUP BY 1 HAVING sum(debit) <> sum(credit)"
    assert month.rows(uneven, month.world["msp"]) == []
    owed = month.rows(
        "SELECT a.tenant_id, sum(p.debit - p.credit) FROM receivables_posting p JOIN receivables_account a"
        " ON a.id = p.account_id WHERE a.msp_id = %s AND a.kind = 'receivable' GROUP BY 1",
        month.world["msp"],
    )
    ahead = {month.tenants[AHEAD]: bills[AHEAD]["total"] - DEALS[AHEAD].prepaid}
    assert dict(owed) == dict.fromkeys(month.tenants.values(), 0) | ahead
    accounts = month.rows("SELECT tenant_id, balance_micros FROM rating_account WHERE msp_id = %s", month.world["msp"])
    # What is left for calls is what was paid ahead, less the calls that no bill has yet.
    assert dict(accounts) == {
        pk: -ahead.get(pk, 0) - month_sums.unbilled(label, month.calls, month.begins)
        for label, pk in month.tenants.items()
    }
    payments = month.rows("SELECT id, tenant_id FROM receivables_payment WHERE msp_id = %s", month.world["msp"])
    assert sorted(tenant for _pk, tenant in payments) == sorted(month.tenants.values())
    labels = {pk: label for label, pk in month.tenants.items()}
    for pk, tenant in payments:
        assert month.people[labels[tenant]].file(f"/bills/payments/{pk}/receipt/").startswith(b"%PDF")


def every_line_opens_to_its_calls(month: Month, bills: dict[str, dict[str, Any]]) -> None:
    """Open each line as the customer: its calls are its amount, and what has none says how it comes about."""
    for label, found in bills.items():
        person, seen = month.people[label], Counter[str]()
        for line in found["lines"]:
            path = f"/bills/{found['id']}/lines/{line['position']}/"
            calls = list(csv.DictReader(person.page(path, export="csv").removeprefix("\ufeff").splitlines()))
            if calls:
                # To the last micro, before anything is rounded.
                assert sum(amount(call["Billed amount"]) for call in calls) == line["exact"], (label, line)
                assert len(calls) == line["quantity"], (label, line)
                seen[line["text"]] += len(calls)
            else:
                page = person.page(path)
                assert any(words in page for words in ("×", "% of", "are agreed", "were used")), (label, line)
        billed = month_sums.billed_calls(label, month.calls, month.begins)
        assert sum(seen.values()) == len(billed), label
        dearest = max(billed, key=month_sums.price)
        assert "a minute" in person.page(f"/calls/{dearest.id}/")


def amount(text: str) -> int:
    """Return the micros of an amount as a file shows it."""
    return int(Decimal("".join(letter for letter in text if letter in "-.0123456789")) * MICROS)


def what_nodes_counted_is_what_is_stored(month: Month) -> None:
    """Hold the nodes' own counts against the records, once the hour is over: real calls of meanwhile included."""
    # A node tells its counts as soon as it has a line.
    month.node.stop()
    month.node.start()
    talked = month.answered_for_real()
    real = "SELECT count(*), count(DISTINCT call_id) FROM calls_cdr WHERE called = %s AND disposition = 'answered'"
    month.wait(
        lambda: month.rows(real, month.dialled)[0][0] + month.open_for_real() >= talked, 60, "records of the real calls"
    )
    stored, different = month.rows(real, month.dialled)[0]
    assert stored == different > 0
    unpriced = month.rows(
        "SELECT count(*) FROM calls_cdr d LEFT JOIN rating_charge c USING (tenant_id, invited, id)"
        " WHERE d.called = %s AND d.answered IS NOT NULL AND c.id IS NULL",
        month.dialled,
    )
    assert unpriced == [(0,)]

    for node in (month.world["node_name"], "sbc-lab-1"):
        month.wait(lambda node=node: month.counts_are_told(node), 60, f"{node} to tell what it counted")
    month.later()
    month.operator.log_in("operator@strowger.example")
    for name in (month.world["node_name"], "sbc-lab-1"):
        ((node,),) = month.rows("SELECT id FROM sbc_node WHERE name = %s", name)
        for state, shown in (("red", False), ("open", False), ("green", True)):
            found = month.operator.page("/reconciliation/", export="csv", node=node, state=state)
            assert (len(found.splitlines()) > 1) == shown, found
