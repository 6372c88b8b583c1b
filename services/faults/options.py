"""What a run of faults is told."""

from msgspec import Struct


class FaultOptions(Struct, frozen=True):
    """See `segue bench faults --help`."""

    faults: tuple[str, ...] = ()  # () : all
    seconds: float = 600.0  # of load in all; each chosen fault strikes alone at least once, however long that takes
    seed: int = 42
    rate: float = 200.0  # listens a second
    every_s: float = 8.0  # between strikes of the part in which faults strike together
    repeats: int = 1  # times that each strikes alone
    zombie_s: float = 30.0
    away_s: float = 20.0
    recover_s: float = 90.0  # a list that is not fresh after this is stale
    spare: bool = False  # kills fall on the first profiler and scorer only, so that the memory of the others says much
    guarded: bool = True
    logs: str = ""  # folder that the services' logs are copied to at the end
