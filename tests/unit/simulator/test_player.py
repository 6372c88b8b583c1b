"""Sending at a rate: what counts, when a message is asked for, how it ends."""

import asyncio
import time
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from aiokafka.errors import LeaderNotAvailableError

from schemas.codec import decode
from schemas.events import Listen
from schemas.topics import LISTENS, TRACKS
from schemas.track import Track
from services.demo.player import Future, Message, Player
from services.demo.seen import Seen
from services.runtime.errors import BrokerAway

FAST = 10_000.0


class Broker:
    """Takes messages and acknowledges them after a while, up to the one from which on it is silent or fails."""

    def __init__(self, after_s: float = 0.0, silent_from: int = 10**9, failing_from: int = 10**9) -> None:
        self.after_s, self.silent_from, self.failing_from = after_s, silent_from, failing_from
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.at: list[float] = []

    async def send(self, topic: str, value: bytes | None = None, key: bytes | None = None) -> Future:
        offset = len(self.sent)
        self.sent.append((topic, key or b"", value or b""))
        self.at.append(time.perf_counter())
        future: Future = asyncio.get_running_loop().create_future()
        if offset >= self.failing_from:
            asyncio.get_running_loop().call_later(self.after_s, future.set_exception, LeaderNotAvailableError())
        elif offset < self.silent_from:
            asyncio.get_running_loop().call_later(self.after_s, future.set_result, SimpleNamespace(offset=offset))
        return future


def listens(n: int = 10**6) -> Iterator[Message]:
    return (Listen(f"e{i}", f"u{i % 3}", f"t{i}", i) for i in range(n))


def play(
    player: Player,
    messages: Iterator[Message],
    rate: float = FAST,
    for_s: float | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    until = None if for_s is None else time.perf_counter() + for_s
    asyncio.run(player.play(messages, rate, until, stop))


def test_everything_is_sent_in_order_under_its_key_and_counted_when_the_broker_has_it() -> None:
    broker, seen = Broker(after_s=0.05), Seen()
    play(Player(broker, seen), listens(200))
    assert seen.listens == 200
    found = [decode(Listen, value) for _, _, value in broker.sent]
    assert found == list(listens(200))
    assert [(topic, key) for topic, key, _ in broker.sent] == [(LISTENS.name, it.user_id.encode()) for it in found]


def test_tracks_go_to_their_topic_before_the_listen_and_cost_no_time() -> None:
    tracks: list[Message] = [Track(f"t{i}", "title", "artist") for i in range(50)]
    broker, seen = Broker(), Seen()
    began = time.perf_counter()
    play(Player(broker, seen), iter([*tracks, *listens(2), Track("late", "title", "artist")]), rate=10.0)
    assert time.perf_counter() - began < 1.0  # 52 messages at 10/s would take five
    assert [topic for topic, _, _ in broker.sent] == [TRACKS.name] * 50 + [LISTENS.name] * 2 + [TRACKS.name]
    assert broker.sent[0][1] == b"t0"
    assert (seen.tracks, seen.listens) == (51, 2)


def test_a_message_is_asked_for_when_its_time_has_come_and_sent_at_the_rate() -> None:
    asked: list[float] = []

    def messages() -> Iterator[Message]:
        for message in listens():
            asked.append(time.perf_counter())
            yield message

    broker = Broker()
    began = time.perf_counter()
    play(Player(broker, Seen()), messages(), rate=40.0, for_s=0.5)
    assert all(at - began >= i / 40 - 0.005 for i, at in enumerate(asked))
    assert 5 <= len(broker.sent) <= 20  # a busy machine may be late, never early


def test_a_player_that_is_late_catches_up() -> None:
    def messages() -> Iterator[Message]:
        for i, message in enumerate(listens()):
            if i == 5:
                time.sleep(0.3)
            yield message

    broker = Broker()
    play(Player(broker, Seen()), messages(), rate=100.0, for_s=0.6)
    assert len(broker.sent) > 45


def test_told_to_stop_it_waits_for_what_is_under_way() -> None:
    broker, seen = Broker(after_s=0.2), Seen()
    play(Player(broker, seen), listens(), rate=500.0, stop=lambda: len(broker.sent) >= 30)
    assert len(broker.sent) == seen.listens == 30


def test_a_slow_player_stops_soon() -> None:
    stop_at = time.perf_counter() + 0.1
    play(Player(Broker(), Seen()), listens(), rate=0.1, stop=lambda: time.perf_counter() > stop_at)
    assert time.perf_counter() - stop_at < 1.0


@pytest.mark.parametrize("for_s", [None, 0.1])  # while it sends, and while it waits for the last ones
def test_a_broker_that_falls_silent_is_told_with_what_it_has_acknowledged(for_s: float | None) -> None:
    broker, seen = Broker(silent_from=20), Seen()
    began = time.perf_counter()
    with pytest.raises(BrokerAway, match="20 were acknowledged before that"):
        play(Player(broker, seen, patience_s=0.3), listens(), rate=400.0, for_s=for_s)
    assert seen.listens == 20
    assert time.perf_counter() - began < 2.0


def test_a_send_that_fails_is_not_counted_and_told() -> None:
    seen = Seen()
    with pytest.raises(BrokerAway, match=r"LeaderNotAvailableError.* 7 were acknowledged"):
        play(Player(Broker(failing_from=7), seen), listens(9))
    assert seen.listens == 7


def test_a_queue_that_stays_full_is_told() -> None:
    class Full(Broker):
        async def send(self, *_: object, **__: object) -> Future:
            await asyncio.sleep(60)
            raise AssertionError

    began = time.perf_counter()
    with pytest.raises(BrokerAway, match="0 were acknowledged"):
        play(Player(Full(), Seen(), patience_s=0.05), listens(1))
    assert time.perf_counter() - began < 2.0
