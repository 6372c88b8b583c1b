"""`segue listen` waits for the list that reflects its own listen, not for any."""

from collections.abc import Iterator

import pytest

from models.release import BadRelease
from schemas.events import Listen
from schemas.recommendation import Item, Recommendations
from services.cli import stream
from services.runtime.settings import KafkaSettings
from tests.unit.cli.conftest import Segue

OFFSET = 7  # of the listen that is sent


def made(version: int) -> Recommendations:
    item = Item(f"track-after-{version}", 1.0, "Popular with listeners now", "popular")
    return Recommendations(f"3-{version}-r1", "ann", 3, version, "r1", 2_000, 1_000, 1_000, [item])


class Lists:
    """In place of stream.Lists: these come, whatever is sent."""

    coming: tuple[Recommendations, ...] = ()

    def __init__(self, _settings: KafkaSettings, user_id: str) -> None:
        assert user_id == "ann"

    def newest(self) -> Recommendations | None:
        return None

    def follow(self, _seconds: float | None = None) -> Iterator[Recommendations]:
        yield from self.coming

    def __enter__(self) -> "Lists":
        return self

    def __exit__(self, *_: object) -> None:
        pass


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Listen]:
    """What was sent to the broker that is not there."""
    listens: list[Listen] = []

    def send(settings: KafkaSettings, listen: Listen) -> tuple[int, int]:
        listens.append(listen)
        return 3, OFFSET

    def current_release(settings: KafkaSettings) -> None:
        raise BadRelease("none")

    monkeypatch.setattr(stream, "Lists", Lists)
    monkeypatch.setattr(stream, "send", send)
    monkeypatch.setattr(stream, "current_release", current_release)
    return listens


def test_the_list_of_an_earlier_listen_is_not_taken_for_it(
    segue: Segue, sent: list[Listen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Lists, "coming", (made(OFFSET - 1), made(OFFSET)))
    said = segue("listen", "ann", "track-1", "--kind", "skip", "--ms-played", "900")
    assert said.code == 0
    assert f"acknowledged: ann on listens-3 at offset {OFFSET}" in said.out
    assert f"track-after-{OFFSET}" in said.out
    assert f"track-after-{OFFSET - 1}" not in said.out
    assert [(listen.user_id, listen.track_id, listen.kind, listen.ms_played) for listen in sent] == [
        ("ann", "track-1", "skip", 900)
    ]


def test_a_list_that_reflects_more_will_do(segue: Segue, sent: list[Listen], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lists, "coming", (made(OFFSET + 5),))
    assert f"track-after-{OFFSET + 5}" in segue("listen", "ann", "track-1").out


def test_no_list_says_where_to_look(segue: Segue, sent: list[Listen], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Lists, "coming", (made(OFFSET - 1),))
    said = segue("listen", "ann", "track-1")
    assert said.code == 1
    assert "no list came within 10 s" in said.err
    assert "try `segue check`" in said.err


@pytest.mark.parametrize(
    ("arguments", "cause"),
    [(("", "track-1"), "user_id"), (("ann", ""), "track_id"), (("ann", "t" * 513), "track_id")],
)
def test_an_id_that_is_none_is_not_sent(
    segue: Segue, sent: list[Listen], arguments: tuple[str, ...], cause: str
) -> None:
    said = segue("listen", *arguments)
    assert said.code == 1
    assert f"at `$.{cause}`" in said.err
    assert sent == []


def test_a_love_of_an_artist_needs_the_artist(segue: Segue, sent: list[Listen]) -> None:
    """The profiler would send it to the dead letters, and no list would ever come."""
    said = segue("listen", "ann", "track-1", "--kind", "love", "--scope", "artist")
    assert said.code == 2
    assert "--artist" in said.one_line
    assert sent == []
