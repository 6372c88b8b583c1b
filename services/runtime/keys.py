"""The names of Segue's keys in Redis, for everyone who reads or writes them."""


def profile_key(partition: int, user_id: str) -> str:
    """Where a listener's profile is; `partition` is that of `listens`."""
    return f"profile:{{{partition}}}:{user_id}"


def cursor_key(partition: int) -> str:
    """Where a partition's position is, in the same hash slot as its profiles."""
    return f"cursor:{{{partition}}}"
