"""Nothing is sent that the profiler would refuse, and nothing is changed that was not asked for."""

from pathlib import Path

import msgspec
import pytest

from schemas.codec import encode
from schemas.dead_letter import DeadLetter
from schemas.errors import Poison
from schemas.events import Listen
from services.dead.letters import Case, Letter, Selection, cases
from services.dead.mending import admitted, by_hand, from_file, setting, unchanged
from services.dead.replay import plan
from services.dead.show import escaped
from services.runtime.errors import Fatal

NOW = 1_700_000_000_000
GOOD = Listen("e1", "ünal", "t1", NOW)


def letter(at: int, value: bytes | None, offset: int = 5, topic: str = "listens", replayed: str = "") -> Letter:
    reason = DeadLetter("future", "", topic, 3, offset, NOW + at, "profiler")
    return Letter(at, reason, reason.headers(), b"key", value, replayed)


def test_the_key_comes_from_the_listen() -> None:
    assert admitted(encode(GOOD), NOW) == ("ünal".encode(), encode(GOOD))


def test_what_the_profiler_would_refuse_is_refused() -> None:
    with pytest.raises(Poison, match="over a day") as refused:
        admitted(encode(GOOD), NOW - 2 * 86_400_000)
    assert refused.value.cause == "future"
    with pytest.raises(Poison):
        admitted(None, NOW)


def test_fields_are_set_by_their_kind_and_the_rest_is_kept() -> None:
    value = b'{"event_id":7,"user_id":"u","x":[1],"ms_played":"long","artist":"a"}'
    mend = setting(["event_id=7", "track_id=null-island=1", f"listened_at={NOW}", "ms_played=null", "artist=null"])
    document = msgspec.json.decode(mend(value) or b"")
    assert document == {"event_id": "7", "user_id": "u", "x": [1], "track_id": "null-island=1", "listened_at": NOW}


@pytest.mark.parametrize("change", ["listened_at=soon", "colour=blue", "listened_at"])
def test_a_change_that_is_none_is_named(change: str) -> None:
    with pytest.raises(Fatal, match=change.partition("=")[0]):
        setting([change])


@pytest.mark.parametrize("value", [None, b"{", b"[1]", b"\xff"])
def test_what_has_no_fields_says_how_else_to_mend_it(value: bytes | None) -> None:
    with pytest.raises(Poison, match="--edit or --file"):
        setting(["track_id=t"])(value)


def test_files_and_editors_that_fail_are_named(tmp_path: Path) -> None:
    with pytest.raises(Fatal, match="nowhere"):
        from_file(tmp_path / "nowhere")
    with pytest.raises(Fatal, match="did not end well"):
        by_hand(["false"])(b"{}")
    assert by_hand(["true"])(b'{"a":1}') == b'{\n  "a": 1\n}'


def test_letters_of_one_origin_are_one_case_and_a_note_makes_it_done() -> None:
    letters = [letter(0, b"a"), letter(1, b"b", offset=6), letter(2, b"a"), letter(3, b"a", replayed="listens-3@9")]
    found = list(cases(letters, Selection()).values())
    assert [(case.letter.at, case.letters, case.replayed) for case in found] == [(2, 2, "listens-3@9"), (1, 1, "")]
    assert [case.letter.at for case in cases(letters, Selection(offset=6)).values()] == [1]
    assert [case.letter.at for case in cases(letters, Selection(since_ms=NOW + 1)).values()] == [1, 2]
    assert not cases(letters, Selection(cause="empty"))


def test_a_plan_sorts_by_what_can_be_done() -> None:
    done = Case(letter(0, encode(GOOD)), replayed="listens-3@9")
    chosen = [done, Case(letter(1, encode(GOOD))), Case(letter(2, b"{")), Case(letter(3, encode(GOOD), topic="other"))]
    made = plan(chosen, unchanged, NOW)
    assert ([each.letter.at for each in made.ready], made.done) == ([1], [done])
    assert [(each.at, poison.cause) for each, poison in made.refused] == [(2, "bad-json"), (3, "bad-topic")]
    assert [each.letter.at for each in plan(chosen, unchanged, NOW, again=True).ready] == [0, 1]


def test_bytes_are_shown_each_and_long_ones_are_cut() -> None:
    assert escaped(b"a\x00\xff'", whole=False) == r'''"a\x00\xff'"'''
    assert escaped(None, whole=False) == "null"
    assert len(escaped(b"x" * 9_000, whole=False)) < 2_100
    assert len(escaped(b"x" * 9_000, whole=True)) == 9_002
