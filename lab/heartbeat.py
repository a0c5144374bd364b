"""When each trunk last sent OPTIONS to each Microsoft name, and whether that is too often or too seldom."""

from dataclasses import dataclass, field

from lab import sip
from lab.refusal import Refusal
from lab.settings import Clocks
from lab.transport import Flow

RESTARTS = 3


@dataclass
class Beat:
    """The last OPTIONS of one trunk at one name."""

    at: float
    flow: Flow | None = None
    late: bool = False
    restarts: list[float] = field(default_factory=list)


class Heartbeats:
    """The rhythm of all trunks."""

    def __init__(self, clocks: Clocks, names: tuple[str, ...]) -> None:
        self._clocks, self._names = clocks, names
        self.beats: dict[tuple[str, str], Beat] = {}

    def beat(self, fqdn: str, name: str, request: sip.Request, flow: Flow, now: float) -> Refusal | None:
        """Take an OPTIONS; refuse it when the last one was too short a time ago."""
        for other in self._names:
            # From its first OPTIONS on, a trunk owes them to every name.
            self.beats.setdefault((fqdn, other), Beat(now))
        beat = self.beats[(fqdn, name)]
        gap = now - beat.at
        shortest = self._clocks.options_shortest - self._clocks.options_tolerance
        if beat.flow is not None and gap < shortest and not self._restarted(beat, now):
            return Refusal("options-too-often", request, 403, f"{gap:.2f} s after the last one of {fqdn} to {name}")
        beat.at, beat.flow, beat.late = now, flow, False
        return None

    def _restarted(self, beat: Beat, now: float) -> bool:
        # An SBC that restarts dials anew and greets at once; one that dials anew for every OPTIONS does not get away.
        beat.restarts = [at for at in beat.restarts if now - at < self._clocks.options_longest]
        if beat.flow is None or not beat.flow.closed or len(beat.restarts) >= RESTARTS:
            return False
        beat.restarts.append(now)
        return True

    def overdue(self, now: float) -> list[Refusal]:
        """Return a refusal for every trunk and name that has just become too late."""
        found = []
        for (fqdn, name), beat in self.beats.items():
            if not beat.late and now - beat.at > self._clocks.options_longest + self._clocks.options_tolerance:
                beat.late = True
                silence = f"{fqdn} to {name}: {now - beat.at:.2f} s of silence"
                found.append(Refusal("options-too-seldom", None, 0, silence))
        return found

    def healthy(self, fqdn: str, name: str, now: float) -> bool:
        """Tell whether the trunk greeted the name within the longest interval."""
        beat = self.beats.get((fqdn, name))
        return beat is not None and beat.flow is not None and now - beat.at <= self._clocks.options_longest
