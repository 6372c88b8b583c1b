"""10,000 generated messages: each becomes a dead letter that says why, or is folded as the log's fold has it."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from models.admission import admit
from models.profile import Profile, ProfileView
from models.taste import TasteSettings, fold
from schemas.dead_letter import DeadLetter
from schemas.errors import Poison
from services.profiler.app import Profiler
from services.profiler.metrics import Metrics
from services.profiler.ports import Taken
from services.runtime.http import Health
from tests.messages import keyed
from tests.unit.profiler.fakes import T0, MemoryLog, MemoryOutbox, MemoryProfiles

BATCH, BATCHES = 20, 500


@settings(max_examples=BATCHES, deadline=None)
@given(st.lists(keyed(), min_size=BATCH, max_size=BATCH))
def test_each_is_put_away_with_its_reason_or_folded(messages: list[tuple[bytes | None, bytes | None]]) -> None:
    records = [Taken(offset, k, v, T0) for offset, (k, v) in enumerate(messages)]
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
            event = admit(record.value, record.key, record.timestamp)
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
