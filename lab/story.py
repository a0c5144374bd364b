"""What happened on a call, step by step."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Step:
    """One thing that happened, and how many milliseconds after the start."""

    ms: float
    who: str
    text: str

    def __str__(self) -> str:
        return f"{self.ms:9.1f} ms  {self.who:<10} {self.text}"


@dataclass
class Story:
    """The steps of one call."""

    steps: list[Step] = field(default_factory=list)
    on_step: Callable[[Step], None] | None = None
    began: float = field(default_factory=time.monotonic)

    def note(self, who: str, text: str) -> None:
        """Write down a step."""
        step = Step(round((time.monotonic() - self.began) * 1000, 1), who, text)
        self.steps.append(step)
        if self.on_step is not None:
            self.on_step(step)

    def __str__(self) -> str:
        return "\n".join(map(str, self.steps))
