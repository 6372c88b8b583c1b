"""Messages that hypothesis makes up: honest listens, broken ones, and what is no listen at all."""

from typing import Any

from hypothesis import strategies as st
from msgspec.json import encode

from tests.unit.profiler.fakes import T0

text = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "🎧" * 200, "‮مرحبا بالعالم", "x" * 513, "\x00", "é" * 512, "NaN", "user"]),
)
value: st.SearchStrategy[Any] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), text),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(text, inner, max_size=3)),
    max_leaves=6,
)
times = st.one_of(st.integers(T0 - 10**10, T0 + 10**8), st.sampled_from([0, -1, 1, 4_102_444_800_000, 2**53, 2**63]))
honest = st.fixed_dictionaries(
    {
        "event_id": st.one_of(text, st.sampled_from(["e1", "e2", "e3"])),
        "user_id": st.one_of(text, st.just("user")),
        "track_id": text,
        "listened_at": times,
    },
    optional={
        "kind": st.sampled_from(["play", "skip", "love", "ban", "unban", "dance", ""]),
        "artist": text,
        "ms_played": st.integers(-5, 10**9),
        "duration_ms": st.integers(-5, 10**9),
        "scope": st.sampled_from(["track", "artist", "album"]),
    },
)
broken = st.builds(
    lambda event, name, wrong: {**event, name: wrong},
    honest,
    st.sampled_from(["event_id", "user_id", "track_id", "listened_at", "kind", "ms_played", "new_field"]),
    value,
)


def bytes_of(event: object) -> bytes:
    return encode(event)


@st.composite
def cut(draw: st.DrawFn) -> bytes:
    data = bytes_of(draw(honest))
    return data[: draw(st.integers(0, len(data)))] + draw(st.binary(max_size=3))


message = st.one_of(
    st.none(), st.binary(max_size=200), value.map(bytes_of), honest.map(bytes_of), broken.map(bytes_of), cut()
)
key = st.one_of(st.none(), st.just(b"user"), st.just(b"user"), text.map(str.encode), st.binary(max_size=10))


@st.composite
def keyed(draw: st.DrawFn) -> tuple[bytes | None, bytes | None]:
    if draw(st.booleans()):
        event = draw(honest)
        return event["user_id"].encode(), bytes_of(event)
    return draw(key), draw(message)
