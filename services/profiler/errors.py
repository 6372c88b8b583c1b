"""What a profiler's loop answers by reading again."""


class ReadAgainError(Exception):
    """What was read does not follow on what is folded: read the partitions again from their cursors."""


class SkippedError(ReadAgainError):
    """The consumer left out listens that are in the log."""


class RewoundError(ReadAgainError):
    """The store is behind what was committed (restored, emptied)."""

    @classmethod
    def of(cls, partition: int, found: int, committed: int) -> "RewoundError":
        """The one that says so of a partition."""
        return cls(f"partition {partition}: profiles are at offset {found}, {committed} was committed")
