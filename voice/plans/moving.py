"""Moving contracts to another version of their plan: who goes over on a day, who does not and why."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Max, Q, QuerySet
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from portal.core import audit, jobs
from portal.core.audit import Actor
from portal.core.models import Job
from voice.plans import ordering, selectors
from voice.plans.models import Contract, DrawnPeriod, Phase, PlanVersion

KIND = "plans.move"


@dataclass(frozen=True, slots=True)
class Judged:
    """A contract that was chosen; `why` says what keeps it from going over, nothing where it does."""

    contract: Contract
    why: str = ""


def movable(version: PlanVersion, today: date) -> QuerySet[Contract]:
    """Return the contracts that have another version of the plan today or will have."""
    others = Phase.objects.filter(version__plan=version.plan_id).exclude(version=version).held()
    running = others.filter(Q(ends=None) | Q(ends__gt=today))
    return selectors.contracts(msp=version.msp_id).filter(pk__in=running.values("contract"))


def judge(version: PlanVersion, on: date, contracts: Iterable[int]) -> list[Judged]:
    """Return for each of these contracts whether it can have the version from a day on; what is missing is left out."""
    rows = list(Contract.objects.filter(pk__in=list(contracts), msp=version.msp_id).select_related("tenant__msp"))
    phases: dict[int, list[Phase]] = defaultdict(list)
    held = Phase.objects.filter(contract__in=rows).held().select_related("version__plan")
    for phase in held.order_by("begins"):
        phases[phase.contract_id].append(phase)
    closed = DrawnPeriod.objects.filter(tenant__in=[row.tenant_id for row in rows]).order_by().values_list("tenant")
    billed = dict(closed.annotate(last=Max("ends")))
    rows.sort(key=lambda row: (row.tenant.name, row.pk))
    return [Judged(row, _why_not(version, on, row, phases[row.pk], billed.get(row.tenant_id))) for row in rows]


def _why_not(version: PlanVersion, on: date, row: Contract, phases: Sequence[Phase], billed: date | None) -> str:
    held = next((each for each in phases if each.begins <= on and (each.ends is None or each.ends > on)), None)
    later = next((each for each in phases if each.begins > on and each.version_id != version.pk), None)
    facts: dict[str, Any] = {"day": date_format(on, "j M Y")}
    if held is None:
        return _("The contract does not run on %(day)s.") % facts
    if held.version.plan_id != version.plan_id:
        return _("It has another plan on that day: %(plan)s.") % {"plan": held.version.plan}
    if held.version_id == version.pk:
        return _("It has this version already.")
    if on <= row.starts:
        return _("A change comes after the contract's first day.")
    if later is not None:
        # A change that somebody planned is not swept away with many others.
        facts |= {"later": date_format(later.begins, "j M Y"), "plan": later.version.plan}
        return _("Another change is planned for %(later)s: %(plan)s.") % facts
    if billed is not None and on < billed:
        return _("The days before %(until)s are billed or closed: choose a later one.") % {
            "until": date_format(billed, "j M Y")
        }
    return ""


def start(version: PlanVersion, on: date, contracts: Iterable[int], *, by: Actor) -> Job:
    """Begin to move contracts in the background; raises ValidationError where the version is not to be had then."""
    chosen = sorted(set(contracts))
    if not chosen:
        raise ValidationError(_("Choose at least one contract."))
    ordering.check_version(version.msp_id, version, on, field="on")
    facts = {"version": version.pk, "plan": version.plan_id, "on": on.isoformat(), "contracts": chosen}
    return jobs.start(KIND, facts, by=by)


def move(
    version: PlanVersion, on: date, contracts: Iterable[int], *, by: Actor, progress: jobs.Progress
) -> dict[str, Any]:
    """Let each contract that can go over have the version from a day on; return who did and who did not, and why.

    Each is a change of its own: done again, the rest goes over and nothing twice.
    """
    moved: list[int] = []
    skipped: list[tuple[int, str]] = []
    chosen = judge(version, on, contracts)
    for number, each in enumerate(chosen, 1):
        why = each.why or _moved(each.contract, version, on, by)
        if why:
            skipped.append((each.contract.pk, why))
        else:
            moved.append(each.contract.pk)
        progress(number, len(chosen), _("Moving contracts"))
    audit.record(
        by, "plan.contracts_moved", version.plan, version=version.number, on=on.isoformat(), moved=len(moved),
        skipped=len(skipped),
    )  # fmt: skip
    return {"moved": moved, "skipped": skipped}


def _moved(contract: Contract, version: PlanVersion, on: date, by: Actor) -> str:
    """Return why a contract could not go over after all, or nothing."""
    try:
        ordering.change_plan(contract, version, on=on, by=by)
    except ValidationError as error:
        return " ".join(error.messages)
    return ""
