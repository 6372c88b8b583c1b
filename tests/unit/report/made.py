"""Outcomes made up."""

from typing import Any

from schemas.outcome import Outcome

DAY = 86_400_000
T0 = 19_700 * DAY  # 2023-12-09


def outcome(event: str, user: str = "ann", rank: int | None = None, **more: Any) -> Outcome:
    """A play half a day after T0, unless `more` says otherwise."""
    fields: dict[str, Any] = {
        "track_id": "t", "kind": "play", "chosen": None, "listened_at": 0, "at": T0 + DAY // 2, "list_id": "l",
        "release_id": "r1", "variant": "a", "length": 50, "source": "als" if rank else None, **more,
    }  # fmt: skip
    return Outcome(event_id=event, user_id=user, rank=rank, **fields)
