"""What of old books can go without moving a balance: what is settled together goes together."""

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date

Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Paper:
    """An entry of the ledger, or a document: whose account it is of, of which day, what it moved there."""

    key: Key
    account: Hashable
    on: date
    owed: int = 0
    # Something that is not over hangs on it.
    stays: bool = False


def outlived(papers: Iterable[Paper], links: Iterable[tuple[Key, Key]]) -> set[Key]:
    """Return the keys of what can go: groups of linked papers, none of which stays, that come to nothing.

    A group that comes to something goes only with others that make it even: the longest run of them, oldest first, that
    comes to nothing. A link to a paper that is not among these keeps its group.
    """
    known = {paper.key: paper for paper in papers}
    heads = {key: key for key in known}

    def head(key: Key) -> Key:
        while heads[key] != key:
            heads[key] = heads[heads[key]]
            key = heads[key]
        return key

    bound: set[Key] = set()
    for one, other in links:
        here = [key for key in (one, other) if key in known]
        if len(here) == 2:
            heads[head(one)] = head(other)
        else:
            bound.update(here)
    groups: dict[Key, list[Paper]] = defaultdict(list)
    for key, paper in known.items():
        groups[head(key)].append(paper)
    staying = {head(key) for key in bound} | {head(paper.key) for paper in known.values() if paper.stays}

    gone: set[Key] = set()
    uneven: dict[Hashable, list[list[Paper]]] = defaultdict(list)
    for key, group in groups.items():
        if key in staying:
            continue
        if sum(paper.owed for paper in group) == 0:
            gone.update(paper.key for paper in group)
        else:
            uneven[group[0].account].append(group)
    for loose in uneven.values():
        loose.sort(key=lambda group: max(paper.on for paper in group))
        total, even = 0, 0
        for number, group in enumerate(loose, 1):
            total += sum(paper.owed for paper in group)
            even = number if total == 0 else even
        gone.update(paper.key for group in loose[:even] for paper in group)
    return gone
