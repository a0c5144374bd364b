"""A figure: one JSON object a line, from a real run, beside its baseline from the same run."""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """`ratio` is value to baseline; `ok` is whether the goal was met; `remark` is what to know of the run."""

    figure: str
    value: float
    unit: str
    goal: str
    baseline: float | None
    ratio: float | None
    ok: bool
    remark: str = ""


def emit(
    name: str,
    value: float,
    unit: str,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    baseline: float | None = None,
    ratio_at_most: float | None = None,
    ratio_at_least: float | None = None,
    remark: str = "",
) -> Figure:
    """Print a figure and return it; the goals given are all that `ok` means."""
    ratio = value / baseline if baseline else None
    goals = [
        (at_most, "≤ {} " + unit, value, -1),
        (at_least, "≥ {} " + unit, value, 1),
        (ratio_at_most, "≤ {} × baseline", ratio, -1),
        (ratio_at_least, "≥ {} × baseline", ratio, 1),
    ]
    wanted = [each for each in goals if each[0] is not None]
    ok = all(is_ is not None and (is_ - limit) * sign >= 0 for limit, _words, is_, sign in wanted if limit is not None)
    figure = Figure(
        name,
        round(value, 3),
        unit,
        ", ".join(words.format(limit) for limit, words, _is, _sign in wanted),
        None if baseline is None else round(baseline, 3),
        None if ratio is None else round(ratio, 3),
        ok,
        remark,
    )
    said = {name: value for name, value in asdict(figure).items() if value != ""}
    print(json.dumps(said, ensure_ascii=False), flush=True)
    return figure


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value that `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def note(text: str) -> None:
    """Say on standard error what runs; standard output is for figures."""
    print(f"# {text}", file=sys.stderr, flush=True)
