"""10,000 generated messages: each becomes a dead letter that says why, or is folded as the log's fold has it."""

import asyncio
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.json import encode
from prometheus_client import CollectorRegistry

from models.admission import admit
from models.profile import Profile, ProfileView
from models.taste import TasteSettings, fold
from schemas.dead_letter import DeadLetter
from schemas.errors import Poison
from services.profiler.app import Profiler
from services.profiler.metrics import Metrics
from services.profiler.ports import Record
from services.runtime.http import Health
from tests.unit.profiler.fakes import T0, MemoryLog, MemoryOutbox, MemoryProfiles

BATCH, BATCHES = 20, 500

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


@settings(max_examples=BATCHES, deadline=None)
@given(st.lists(keyed(), min_size=BATCH, max_size=BATCH))
def test_each_is_put_away_with_its_reason_or_folded(messages: list[tuple[bytes | None, bytes | None]]) -> None:
    records = [Record(offset, k, v, T0) for offset, (k, v) in enumerate(messages)]
    store, outbox, taste = MemoryProfiles(), MemoryOutbox(), TasteSettings()
    profiler = Profiler(
        store,
        outbox,
        MemoryLog(),
        taste,
        Metrics(CollectorRegistry(), Health("x", clock=lambda: 0.0)),
        100,
        asyncio.Event(),
    )

    async def go() -> None:
        await profiler.assign([0])
        await profiler.apply(0, records)

    asyncio.run(go())
    profiles: dict[tuple[int, str], Profile] = {}
    dead: dict[int, str] = {}
    for record in records:
        try:
            event = admit(record.value, record.key, record.appended_ms)
        except Poison as poison:
            dead[record.offset] = poison.cause
            continue
        fold(profiles.setdefault((0, event.user_id), Profile()), event, record.offset, taste)
    assert store.data == {key: profile.encode() for key, profile in profiles.items()}
    for data in store.data.values():
        ProfileView(data)
    assert {letter.offset: letter.cause for letter, _ in outbox.letters} == dead
    for letter, record in outbox.letters:
        assert DeadLetter.from_headers(letter.headers()) == letter
        assert letter.message
        assert (record.key, record.value) == messages[letter.offset]
