"""Where everything in the lab stands, and how fast its clocks run."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from lab.ca import MICROSOFT_NAMES
from lab.transport import Address


@dataclass(frozen=True)
class Clocks:
    """Times in seconds; tests make them short."""

    options_shortest: float = 60.0
    options_longest: float = 180.0
    # A timer that fires a little early is not "too often".
    options_tolerance: float = 1.0
    microsoft_options: float = 60.0
    ring: tuple[float, float] = (0.8, 2.5)
    talk: tuple[float, float] = (10.0, 180.0)
    no_answer: float = 90.0
    t1: float = 0.5

    def scaled(self, factor: float) -> "Clocks":
        """Return the same clocks, faster or slower; the retransmission timer stays as the standard has it."""
        return replace(
            self,
            options_shortest=self.options_shortest * factor,
            options_longest=self.options_longest * factor,
            options_tolerance=self.options_tolerance * factor,
            microsoft_options=self.microsoft_options * factor,
            ring=(self.ring[0] * factor, self.ring[1] * factor),
            talk=(self.talk[0] * factor, self.talk[1] * factor),
            no_answer=self.no_answer * factor,
        )


@dataclass(frozen=True)
class LabSettings:
    """Addresses, files and clocks of one lab."""

    folder: Path = Path("var/lab")
    microsoft: tuple[tuple[str, str], ...] = tuple(
        (name, f"127.0.8.{index}") for index, name in enumerate(MICROSOFT_NAMES, 1)
    )
    microsoft_port: int = 5061
    sbc: Address = ("127.0.5.1", 5061)
    sbc_carrier_side: Address = ("127.0.5.1", 5060)
    control: Path | None = None
    clocks: Clocks = field(default_factory=Clocks)
    # Milliseconds of sound in a packet; longer ones are kinder to a small machine.
    packet_ms: int = 20
    seed: int | None = None

    @property
    def certificates(self) -> Path:
        """Return the folder with the certificates."""
        return self.folder / "ca"

    @property
    def control_path(self) -> Path:
        """Return the control socket."""
        return self.control or self.folder / "lab.sock"
