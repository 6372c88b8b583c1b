"""What the demo was asked for."""

from pathlib import Path

from msgspec import Struct


class DemoOptions(Struct, frozen=True):
    """Everything `segue demo` can be told."""

    listens: tuple[Path, ...] = ()  # a real log; none: a simulated crowd
    user: str | None = None  # whose log it is, for exports that do not say
    rate: float = 50.0  # listens/s of the live part
    live_s: float | None = None  # seconds of live listening; None: until Ctrl-C
    listeners: int = 500  # of the simulated crowd
    days: int = 45  # of its history
    seed: int = 42
