"""What a listener's profile costs, beside the same data in lists that msgspec writes and reads.

    python -m benchmarks.fold [--listeners 300] [--days 60] [--recent 100,1000,3000,10000]

One event: a full profile takes a listen and becomes bytes, as for each live event. The reference folds nothing: it
only writes, or reads, a msgspec Struct with the same numbers in lists. Smallest of 20 rounds. Times are of the CPU:
nothing here waits.
Bulk: a simulated crowd's log in batches of 500; after each batch the profiles it changed become bytes. The reference is
the least a profile could do: it counts into dicts and appends to lists, nothing decays and nothing is pruned but the
recent plays, and msgspec writes them.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import count
from time import process_time

import msgspec
import numpy as np

from models.ids import artist_key_of, cached_key_of, key_of
from models.profile import Profile, ProfileView
from models.taste import TasteSettings, fold
from schemas.events import Listen
from services.simulator.crowd import make_crowd
from services.simulator.settings import CrowdSettings

BATCH = 500
NOON = 1_704_110_400
KNOWN = 40  # tracks that the listens to come are of


class Lists(msgspec.Struct):
    """A profile's columns as plain lists."""

    columns: list[list[int]]


class Bare(msgspec.Struct):
    """The least that one could keep of a listener."""

    tracks: dict[int, list[int]] = {}
    artists: dict[int, list[int]] = {}
    recent: list[list[int]] = []
    events: list[int] = []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listeners", type=int, default=300)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--recent", default="100,1000,3000,10000")
    args = parser.parse_args()
    one_event([int(each) for each in args.recent.split(",")])
    crowd = make_crowd(CrowdSettings(listeners=args.listeners), np.random.default_rng(7))
    bulk(list(crowd.history(args.days).listens()))


def one_event(recents: list[int]) -> None:
    print("one full profile, µs; the reference in brackets")
    print(f"{'recent plays':>12}{'bytes':>9}{'fold':>7}{'fold + encode':>21}{'decode':>18}{'cold':>8}{'view':>7}")
    for recent in recents:
        taste = TasteSettings(max_recent=recent)
        data, coming = full(taste)
        warm = Profile.decode(data)
        for listen in (next(coming) for _ in range(100)):
            fold(warm, listen, 1, taste)
        lists = as_lists(data)
        packed = msgspec.msgpack.encode(lists)
        reader = msgspec.msgpack.Decoder(Lists)
        folding = least(lambda w=warm, c=coming, t=taste: fold(w, next(c), 1, t))
        live = least(lambda w=warm, c=coming, t=taste: (fold(w, next(c), 1, t), w.encode()))
        writing = least(lambda it=lists: msgspec.msgpack.encode(it))
        reading = least(lambda d=data: Profile.decode(d))
        unpacking = least(lambda r=reader, p=packed: r.decode(p))
        cold = least(lambda d=data, c=coming, t=taste: one_cold(d, next(c), t))
        view = least(lambda d=data: ProfileView(d))
        print(f"{recent:>12,}{len(data):>9,}{folding:>7.1f}{live:>9.1f} {f'({writing:.0f})':>11}"
              f"{reading:>9.1f} {f'({unpacking:.0f})':>8}{cold:>8.1f}{view:>7.1f}")  # fmt: skip


def one_cold(data: bytes, listen: Listen, taste: TasteSettings) -> bytes:
    """An event of a listener who is not in the profiler's cache."""
    profile = Profile.decode(data)
    fold(profile, listen, 1, taste)
    return profile.encode()


def full(taste: TasteSettings) -> tuple[bytes, Iterator[Listen]]:
    """A profile that is full but for the marks, and listens of known tracks that come after it."""
    rng = np.random.default_rng(3)
    profile = Profile()
    numbers = count()

    def listen(track: int) -> Listen:
        number = next(numbers)
        return Listen(f"e{number}", "ann", f"t{track}", (NOON + number * 200) * 1000, "play", f"a{track // 4}")

    for track in rng.integers(3_000, size=taste.max_recent + 3_000).tolist():
        fold(profile, listen(track), 0, taste)
    for track in range(KNOWN):
        fold(profile, listen(track), 0, taste)
    fresh = count(10_000)
    while len(profile.tracks) < taste.max_tracks + taste.max_tracks // 8:
        fold(profile, listen(next(fresh)), 0, taste)
    return profile.encode(), (listen(at % KNOWN) for at in count())


def as_lists(data: bytes) -> Lists:
    view = ProfileView(data)
    values = (getattr(view, name) for name in ProfileView.__slots__)
    return Lists([value.tolist() for value in values if isinstance(value, np.ndarray)])


def bulk(log: list[Listen]) -> None:
    taste = TasteSettings()
    profiles: dict[str, Profile] = {}
    bare: dict[str, Bare] = {}

    def ours(batch: list[Listen], offset: int) -> int:
        for at, listen in enumerate(batch, offset):
            profile = profiles.get(listen.user_id)
            if profile is None:
                profile = profiles[listen.user_id] = Profile()
            fold(profile, listen, at, taste)
        return sum(len(profiles[user].encode()) for user in {listen.user_id for listen in batch})

    def reference(batch: list[Listen], _: int) -> int:
        for listen in batch:
            kept = bare.get(listen.user_id)
            if kept is None:
                kept = bare[listen.user_id] = Bare()
            take(kept, listen, taste.max_recent)
        return sum(len(msgspec.msgpack.encode(bare[user])) for user in {listen.user_id for listen in batch})

    rate, size = rate_of(ours, log)
    bare_rate, bare_size = rate_of(reference, log)
    plays = sorted(len(profile.recent) for profile in profiles.values())
    print(
        f"\nbulk: {len(log):,} listens of {len(profiles):,} listeners (median {plays[len(plays) // 2]:,} recent plays)"
    )
    print(f"ours {rate:,.0f} listens/s, {size:,.0f} bytes written a listen; "
          f"reference {bare_rate:,.0f} listens/s, {bare_size:,.0f} bytes; ratio {rate / bare_rate:.2f}")  # fmt: skip


def take(kept: Bare, listen: Listen, most: int) -> None:
    second = listen.listened_at // 1000
    kept.events = [*kept.events[-127:], key_of(listen.event_id)]
    entry = kept.tracks.setdefault(cached_key_of(listen.track_id), [0, 0, 0])
    entry[0], entry[1], entry[2] = entry[0] + 1, second, entry[2] + 1
    entry = kept.artists.setdefault(artist_key_of(listen.artist or ""), [0, 0])
    entry[0], entry[1] = entry[0] + 1, second
    kept.recent.append([second, cached_key_of(listen.track_id), 1])
    del kept.recent[:-most]


def rate_of(work: Callable[[list[Listen], int], int], log: list[Listen]) -> tuple[float, float]:
    begun, written = process_time(), 0
    for start in range(0, len(log), BATCH):
        written += work(log[start : start + BATCH], start)
    return len(log) / (process_time() - begun), written / len(log)


def least(work: Callable[[], object], rounds: int = 20, calls: int = 50) -> float:
    """µs a call, in the fastest round."""
    found = []
    for _ in range(rounds):
        begun = process_time()
        for _ in range(calls):
            work()
        found.append((process_time() - begun) / calls * 1e6)
    return min(found)


if __name__ == "__main__":
    main()
