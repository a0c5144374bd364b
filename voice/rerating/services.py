"""Writes of proposals, and of adjustments by whoever makes invoices."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.core.exceptions import ValidationError
from django.db import connection, transaction
from django.utils.timezone import now
from django.utils.translation import gettext as _

from portal.core import audit, jobs
from portal.core.audit import Actor
from portal.db import contexts
from tenants.models import Customer, Msp
from voice.carriers.models import Trunk
from voice.rating.models import RateDeck
from voice.rerating import applying, selectors, tables
from voice.rerating.again import By, Found, Run
from voice.rerating.models import Adjustment, Proposal, ProposalSum, Side, What
from voice.rerating.reading import Scope
from voice.rerating.selectors import AdjustmentSum

State = Proposal.State
# A proposal that nobody decided on is no basis any more; one that was applied is looked into for a while.
KEPT = timedelta(days=30)
LONGEST = timedelta(days=400)
# Names the turns of proposals of one MSP among the locks of the database.
TURN = 0x5242


@transaction.atomic
def take(customer_id: int, before: datetime, invoice_id: int) -> list[AdjustmentSum]:
    """Let an invoice bear the customer's open adjustments of calls answered before a moment, in its transaction.

    Return the sums of all that it bears: asked twice, the same. Two invoices that want them at once never both get one.
    """
    selectors.unbilled(customer_id, before).update(invoice_id=invoice_id)
    return selectors.sums_of(Adjustment.objects.filter(tenant_id=customer_id, invoice_id=invoice_id))


@transaction.atomic
def give_back(customer_id: int, invoice_id: int) -> int:
    """Open the adjustments again that a dropped draft had taken; return how many."""
    return Adjustment.objects.filter(tenant_id=customer_id, invoice_id=invoice_id).update(invoice_id=None)


@transaction.atomic
def propose(proposal: Proposal, *, by: Actor) -> Proposal:
    """Store what is to be rated again and begin with it in the background; raises ValidationError."""
    _check(proposal)
    proposal.full_clean()
    proposal.made_by = by.email
    proposal.expires_at = now() + KEPT
    proposal.save()
    audit.record(
        by, "rerating.proposed", proposal, begins=proposal.begins, ends=proposal.ends, sell=proposal.sell,
        buy=proposal.buy, sell_deck=str(proposal.sell_deck or ""),
    )  # fmt: skip
    return _begin(proposal, by)


@transaction.atomic
def rate_again(proposal: Proposal, *, by: Actor) -> Proposal:
    """Rate the calls of a proposal that is still open once more; raises ValidationError.

    One whose application was killed half-way has posted nothing; one that is posting at this moment is waited for.
    """
    stored = _locked(proposal)
    if stored.state not in (State.RATING, State.READY, State.APPLYING, State.FAILED):
        raise ValidationError(_("This proposal is over. Make a new one."))
    stored.state, stored.round, stored.message = State.RATING, stored.round + 1, ""
    stored.expires_at = now() + KEPT
    stored.save(update_fields=["state", "round", "message", "expires_at"])
    audit.record(by, "rerating.rated_again", stored)
    return _begin(stored, by)


@transaction.atomic
def ask_to_apply(proposal: Proposal, *, round: int, reason: str, by: Actor) -> Proposal:
    """Begin to apply a proposal as its reader saw it, in the background; raises ValidationError."""
    stored = _locked(proposal)
    if not reason.strip():
        raise ValidationError({"reason": _("Say why: the reason stays with the entries.")})
    if stored.state != State.READY:
        raise ValidationError(_("Only a proposal that waits for you can be applied."))
    if stored.round != round:
        raise ValidationError(_("The calls were rated anew while you looked. Look at the figures again."))
    stored.state, stored.reason, stored.message = State.APPLYING, reason.strip(), ""
    stored.full_clean(exclude=["msp"])
    job = jobs.start("rerating.apply", {"proposal": stored.pk}, by=by)
    stored.job_id = job.pk
    stored.save(update_fields=["state", "reason", "message", "job_id"])
    return stored


def apply(proposal: Proposal, *, by: Actor) -> Proposal:
    """Post what a proposal found and move all sums, at once or not at all; one that was applied posts nothing more.

    Where the decks or what was posted have changed since the calls were rated, nothing is posted and it says so.
    """
    try:
        return _apply(proposal, by=by)
    except applying.Moved as moved:
        Proposal.objects.filter(pk=proposal.pk, state=State.APPLYING).update(state=State.READY, message=str(moved))
        raise ValidationError(str(moved)) from moved


@transaction.atomic
def _apply(proposal: Proposal, *, by: Actor) -> Proposal:
    _take_turn(proposal.msp_id)
    # Only now: a proposal that is rated after this moment has read what is posted here.
    at = now()
    stored = _locked(proposal)
    if stored.state != State.APPLYING:
        return stored
    if selectors.basis_of(stored) != stored.basis.get("digest") or _others_since(stored):
        raise applying.Moved
    applying.gather(stored)
    with contexts.ingest():
        applying.post(stored, at)
    applying.forget()
    stored.state, stored.applied_at, stored.expires_at = State.APPLIED, at, at + KEPT
    stored.save(update_fields=["state", "applied_at", "expires_at"])
    audit.record(by, "rerating.applied", stored, reason=stored.reason, changed=stored.changed, priced=stored.priced)
    return stored


@transaction.atomic
def discard(proposal: Proposal, *, by: Actor) -> None:
    """Give a proposal up and drop its calls; raises ValidationError once it was applied."""
    stored = _locked(proposal)
    if stored.state == State.APPLIED:
        raise ValidationError(_("It was applied. Rate the calls again to take it back."))
    if stored.state == State.DISCARDED:
        return
    _close(stored, State.DISCARDED)
    audit.record(by, "rerating.discarded", stored)


def expire(at: datetime) -> int:
    """Drop the calls of proposals whose time is over, of all MSPs, and return of how many."""
    count = 0
    with contexts.public():
        msps = list(Msp.objects.all())
    for msp in msps:
        with contexts.msp(msp):
            for proposal in Proposal.objects.filter(msp=msp, kept=True, expires_at__lt=at):
                with transaction.atomic():
                    stored = _locked(proposal)
                    _close(stored, stored.state if stored.state == State.APPLIED else State.DISCARDED)
                    count += 1
    return count


def rate(proposal: Proposal, progress: jobs.Progress) -> Proposal:
    """Rate all calls of a proposal and store what they come to, in the context of its MSP."""
    with transaction.atomic():
        # Whoever applies another one at this moment is waited for: what it posts is in what is read.
        _take_turn(proposal.msp_id)
        basis = {"digest": selectors.basis_of(proposal), "at": now().isoformat()}
    tables.make(proposal.pk)
    scope = Scope(proposal.msp_id, proposal.begins, proposal.ends, tuple(proposal.customers), tuple(proposal.trunks))
    run = Run(proposal.pk, proposal.msp, scope, _by(proposal))
    found = run.rate_all(lambda done, total: progress(done, total, _("Rating the calls again")))
    return _store(proposal, found, basis)


@transaction.atomic
def _store(proposal: Proposal, found: Found, basis: Mapping[str, str]) -> Proposal:
    stored = _locked(proposal)
    if stored.state != State.RATING or stored.round != proposal.round:
        # Somebody gave it up, or began anew.
        return stored
    with contexts.owner():
        ProposalSum.objects.filter(proposal_id=stored.pk).delete()
        ProposalSum.objects.bulk_create(_sums(stored, found), batch_size=2_000)
    counts = dict.fromkeys(What.values, 0)
    for group, total in found.sums.items():
        counts[group.what] += total.calls
    stored.calls, stored.changed = found.calls, counts[What.CHANGED]
    stored.priced, stored.left = counts[What.PRICED], counts[What.LEFT]
    stored.totals = selectors.totals_of(found)
    stored.basis, stored.rated_at, stored.state = dict(basis), now(), State.READY
    stored.save()
    return stored


def _sums(proposal: Proposal, found: Found) -> Iterable[ProposalSum]:
    for group, total in found.sums.items():
        yield ProposalSum(
            proposal_id=proposal.pk, msp_id=proposal.msp_id, number=found.numbers[group], side=group.side,
            what=group.what, tenant_id=group.tenant, trunk=group.trunk, direction=group.direction_name,
            outcome=group.outcome.value, deck_id=group.deck or None, was_destination=group.was[0],
            was_currency=group.was[1], destination=group.now[0], currency=group.now[1], calls=total.calls,
            was_billed=total.was_billed, billed=total.billed, was_micros=total.was_micros, micros=total.micros,
        )  # fmt: skip


def _by(proposal: Proposal) -> dict[str, By]:
    found: dict[str, By] = {}
    if proposal.sell:
        version = proposal.sell_version
        found[Side.SELL.value] = By(proposal.sell_deck_id, version.effective_from if version else None)
    if proposal.buy:
        version = proposal.buy_version
        found[Side.BUY.value] = By(proposal.buy_deck_id, version.effective_from if version else None)
    return found


def _begin(proposal: Proposal, by: Actor) -> Proposal:
    job = jobs.start("rerating.rate", {"proposal": proposal.pk, "round": proposal.round}, by=by)
    proposal.job_id = job.pk
    proposal.save(update_fields=["job_id"])
    return proposal


def _check(proposal: Proposal) -> None:
    """Refuse what is not the MSP's, or makes no sense together, in words for the user."""
    wrong: dict[str, Any] = {}
    for side, kind in (("sell", RateDeck.Kind.SELL), ("buy", RateDeck.Kind.BUY)):
        deck, version = getattr(proposal, f"{side}_deck"), getattr(proposal, f"{side}_version")
        if deck is not None and (deck.msp_id != proposal.msp_id or deck.kind != kind):
            wrong[f"{side}_deck"] = _("Choose one of your decks.")
        if version is not None and (deck is None or version.deck_id != deck.pk or version.state != "active"):
            wrong[f"{side}_version"] = _("Choose a version of the deck that is or was in force.")
    if proposal.ends and proposal.begins and proposal.ends - proposal.begins > LONGEST:
        wrong["ends"] = _("Rate at most %(days)d days at once.") % {"days": LONGEST.days}
    if proposal.begins and proposal.begins > now():
        wrong["begins"] = _("There are no calls yet: this day is to come.")
    customers = set(proposal.customers)
    if customers and Customer.objects.filter(pk__in=customers, msp=proposal.msp_id).count() != len(customers):
        wrong["customers"] = _("Choose among your customers.")
    trunks = set(proposal.trunks)
    if trunks and Trunk.objects.filter(pk__in=trunks, msp=proposal.msp_id).count() != len(trunks):
        wrong["trunks"] = _("Choose among your trunks.")
    if proposal.buy_deck is not None and not trunks:
        wrong["trunks"] = _("Say which trunks this deck is to price: each carrier asks its own prices.")
    if wrong:
        raise ValidationError(wrong)


def _locked(proposal: Proposal) -> Proposal:
    return Proposal.objects.select_for_update(of=("self",), no_key=True).get(pk=proposal.pk)


def _close(stored: Proposal, state: str) -> None:
    stored.state, stored.kept = state, False
    stored.save(update_fields=["state", "kept"])
    tables.drop(stored.pk)


def _take_turn(msp: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [TURN, msp])


def _others_since(proposal: Proposal) -> bool:
    """Tell whether another proposal was applied to calls of the same period since this one was rated."""
    since = datetime.fromisoformat(proposal.basis["at"])
    return (
        Proposal.objects.filter(
            msp=proposal.msp_id, state=State.APPLIED, applied_at__gte=since, begins__lt=proposal.ends,
            ends__gt=proposal.begins,
        )
        .exclude(pk=proposal.pk)
        .exists()
    )  # fmt: skip
