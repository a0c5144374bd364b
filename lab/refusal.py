"""What an endpoint holds against its peer."""

from dataclasses import dataclass

from lab import sip


@dataclass(frozen=True)
class Refusal:
    """Something that the peer did wrong: a short reason, the message, and the code of the answer that it got."""

    reason: str
    message: sip.Message | None = None
    code: int = 403
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}" if self.detail else self.reason
