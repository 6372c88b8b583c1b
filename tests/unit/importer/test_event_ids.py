from collections import Counter

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from models.ids import key_of
from services.importer.event_ids import TOLD, EventIds, keys_of
from services.importer.key_set import KeySet

EVENT = st.tuples(
    st.sampled_from(["u1", "u2"]),
    st.sampled_from(["t1", "t2"]),
    st.sampled_from(["play", "skip"]),
    st.integers(1_700_000_000_000, 1_700_000_000_002),
    st.sampled_from([None, 0, 1]),
)
KEYS = st.lists(st.integers(0, 2**64 - 1))


def frame(events: list[tuple[object, ...]]) -> pl.DataFrame:
    kinds = [pl.String(), pl.String(), pl.String(), pl.Int64(), pl.Int64()]
    return pl.DataFrame(events, schema=dict(zip(TOLD, kinds, strict=True)), orient="row")


def test_an_id_never_changes() -> None:
    """It is in topics and ledgers: another value would import everything again."""
    events = frame(
        [("u1", "Ann␟Song", "play", 1_700_000_000_000, 1000), ("u1", "Ann␟Song", "play", 1_700_000_000_000, None)]
    )
    again = pl.concat([events, events])
    assert EventIds().of(again).to_list() == [
        "a483f53f82210a7db2c1c861d8f9236f",
        "4fff9a4c1497c01bc29dfb6c0bcd9c69",
        "7dc02b7c6d13183f7342c11b43df55e5",
        "7c35b984e4ce6e62f7b16a033bc484d6",
    ]


@given(st.lists(EVENT, max_size=40), st.integers(0, 40))
def test_ids_do_not_depend_on_batches(events: list[tuple[object, ...]], cut: int) -> None:
    ids = EventIds()
    parts = [ids.of(frame(part)).to_list() for part in (events[:cut], events[cut:])]
    assert parts[0] + parts[1] == EventIds().of(frame(events)).to_list()


@given(st.lists(EVENT, max_size=40), st.randoms())
def test_a_part_of_a_file_gives_a_part_of_its_ids(events: list[tuple[object, ...]], chance: object) -> None:
    whole = EventIds().of(frame(events)).to_list()
    part = [event for event in events if chance.random() < 0.5]  # type: ignore[attr-defined]
    assert len(set(whole)) == len(events)
    assert set(EventIds().of(frame(part)).to_list()) <= set(whole)


@given(st.lists(EVENT, max_size=40), st.integers(0, 40))
def test_with_once_repeats_have_none(events: list[tuple[object, ...]], cut: int) -> None:
    ids = EventIds(once=True)
    made = ids.of(frame(events[:cut])).to_list() + ids.of(frame(events[cut:])).to_list()
    assert len([i for i in made if i is not None]) == len(Counter(events))
    first = {events.index(event) for event in events}
    assert {at for at, i in enumerate(made) if i is not None} == first


def test_keys_of_ids_from_elsewhere_are_those_of_their_text() -> None:
    made = EventIds().of(frame([("u", "t", "play", 1, None)]))[0]
    keys = keys_of(pl.Series(["app-1", made, made.upper(), ""], dtype=pl.String))
    assert keys.tolist() == [key_of("app-1"), int(made[:16], 16), key_of(made.upper()), key_of("")]
    assert keys_of(pl.Series([], dtype=pl.String)).tolist() == []


@given(st.lists(KEYS), KEYS)
def test_a_key_set_is_a_set(added: list[list[int]], asked: list[int]) -> None:
    keys = KeySet()
    for some in added:
        keys.add(np.array(some, dtype=np.uint64))
    everything = {key for some in added for key in some}
    wanted = asked + sorted(everything)
    assert keys.has(np.array(wanted, dtype=np.uint64)).tolist() == [key in everything for key in wanted]
    assert keys.sorted().tolist() == sorted(everything)
    assert len(keys) == len(everything)
