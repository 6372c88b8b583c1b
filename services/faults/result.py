"""What a run of faults found."""

from msgspec import Struct


class Row(Struct):
    """One kind of fault. Counts are those of its own time: from its first strike to its recovery."""

    fault: str
    about: str = ""
    injected: int = 0
    sent: int = 0  # events acknowledged by the broker meanwhile
    lost: int = 0
    doubled: int = 0
    stale: int = 0  # listeners without a list of their newest profile when it should long have been there
    dead: int = 0  # dead letters
    stale_s: float = 0.0  # the longest that any listener's list was behind their listens
    recover_s: float = 0.0  # the longest, from the end of the cause until every list was fresh
    late: int = 0  # times that this took too long


class Usage(Struct):
    """Memory and files of one process over its longest life."""

    name: str
    restarts: int
    minutes: float
    rss_mb: float  # at the end
    slope_mb_per_min: float  # least squares over its last two thirds
    files: int
    files_more: int  # than at the start of the last two thirds
    threads: int
    threads_more: int
    tasks: int  # of its event loop; 0: it has none
    tasks_more: int
    most_mb: float  # the most that it ever held


class Result(Struct):
    """The whole run."""

    injected: int = 0
    sent: int = 0
    lost: int = 0
    doubled: int = 0
    stale: int = 0
    dead: int = 0
    undelivered: int = 0  # bad messages without a dead letter
    gone: int = 0  # listens that retention removed before they were folded
    retries: int = 0  # sends that the producer had to repeat
    lists: int = 0
    unfound: int = 0  # acknowledged events that are not in the log
    missed: int = 0  # kills that did not find the moment they were meant for
    crashed: int = 0  # ends of a process that no fault caused directly; it was started again
    history_wrong: int = 0  # offsets that the trainer's history lacks or has twice
    audited: int = 0  # profiles that `segue audit` compared, before retention cut the log
    audit_clean: bool = True
    audit_says: list[str] = []
    seconds: float = 0.0
    stop_s: float = 0.0  # the slowest process, from SIGTERM to its end
    seed: int = 0
    guarded: bool = True
    faults: list[Row] = []
    processes: list[Usage] = []

    @property
    def clean(self) -> bool:
        """Whether nothing was ever found lost, doubled, left stale or undelivered."""
        wrong = (self.lost, self.doubled, self.stale, self.undelivered, self.unfound, self.history_wrong)
        late = any(row.late for row in self.faults)
        return self.audit_clean and not late and not any(wrong)
