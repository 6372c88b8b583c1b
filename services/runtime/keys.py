"""The names of Segue's keys in Redis, for everyone who reads or writes them."""

from collections.abc import Sequence


def profile_key(partition: int, user_id: str) -> str:
    """Where the head of a listener's profile is; `partition` is that of `listens`."""
    return f"profile:{{{partition}}}:{user_id}"


def past_key(partition: int, user_id: str) -> str:
    """Where the past of a listener's profile is, in the same hash slot; not there before its first segment."""
    return f"past:{{{partition}}}:{user_id}"


def profile_keys(partition: int, users: Sequence[str]) -> list[str]:
    """Heads, then pasts, for one MGET: see `whole_profiles`."""
    return [key(partition, user) for key in (profile_key, past_key) for user in users]


def whole_profiles(values: Sequence[bytes | None]) -> list[bytes | None]:
    """Heads and pasts, as `profile_keys` has them, joined: the bytes of each profile, None where there is none."""
    half = len(values) // 2
    return [head and head + (past or b"") for head, past in zip(values[:half], values[half:], strict=True)]


def cursor_key(partition: int) -> str:
    """Where a partition's position is, in the same hash slot as its profiles."""
    return f"cursor:{{{partition}}}"
