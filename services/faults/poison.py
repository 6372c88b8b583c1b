"""Messages that nobody should send, on `listens`."""

import time
from random import Random

from msgspec.json import decode, encode

DAY = 86_400_000
Message = tuple[bytes | None, bytes | None]  # key, value

WRONG: tuple[object, ...] = (None, True, -1, 1.5, 2**70, "", "x" * 5_000, [], {}, "‮مرحبا", "🎧" * 100, "NaN", "\x00")


def good(now_ms: int) -> dict[str, object]:
    """A listen that there is nothing wrong with."""
    return {
        "event_id": f"poison-{now_ms}", "user_id": "user-0", "track_id": "track-1", "listened_at": now_ms,
        "kind": "play", "ms_played": 30_000, "duration_ms": 200_000, "artist": "artist-1",
    }  # fmt: skip


def handmade() -> list[Message]:
    """One of each that people have met."""
    now = time.time_ns() // 1_000_000
    event, key = good(now), b"user-0"
    whole = encode(event)
    changed = [
        {**event, "listened_at": 0}, {**event, "listened_at": now + 80 * 365 * DAY}, {**event, "kind": "dance"},
        {**event, "user_id": ""}, {**event, "user_id": "somebody-else"}, {**event, "track_id": None},
        {**event, "track_id": "t" * 4_096}, {**event, "listened_at": str(now)}, {**event, "ms_played": -1}, {}, [], 7,
        {name: value for name, value in event.items() if name != "event_id"},
    ]  # fmt: skip
    raw = [
        None, b"", b"{", b"null", b"\xff\xfe\x00", whole[:-1], whole + b"}", whole.replace(b"30000", b"NaN"),
        b"[" * 100_000, b'{"event_id":' * 5_000, b'"' + b"a" * 600_000 + b'"',
    ]  # fmt: skip
    return [(key, encode(each)) for each in changed] + [(key, value) for value in raw] + [(None, whole), (b"", whole)]


def mutants(rng: Random, count: int) -> list[Message]:
    """Good listens with something broken, at random; some of them are good still."""
    now = time.time_ns() // 1_000_000
    return [_mutant(rng, now + number) for number in range(count)]


def _mutant(rng: Random, now: int) -> Message:
    event = good(now)
    name = rng.choice(list(event))
    match rng.randrange(4):
        case 0:
            del event[name]
        case 1:
            event[name] = rng.choice(WRONG)
        case 2:
            event[name + rng.choice(("", "x", " "))] = rng.choice(WRONG)
        case _:
            data = bytearray(encode(event))
            for _ in range(rng.randrange(1, 4)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            return b"user-0", bytes(data[: rng.randrange(1, len(data) + 1)])
    value = encode(event)
    user = decode(value).get("user_id")
    return (user.encode() if isinstance(user, str) and rng.random() < 0.8 else b"user-0"), value
