"""What a listener's profile costs, beside the same data in lists that msgspec writes and reads.

    python -m benchmarks.fold [--listeners 300] [--days 60] [--past 0,3072,12288]

One event: a full profile takes a listen and its head becomes bytes, as for each live event; a scorer views head and
past. The reference folds nothing: it only writes, or reads, a msgspec Struct with the head's numbers in lists. Smallest
of 20 rounds. Times are of the CPU: nothing here waits.
Decoded: profiles of some plays one by one, and many at once as a batch asks for them.
Bulk: a simulated crowd's log in batches of 500; after each batch the heads it changed become bytes, and what was sealed
goes. The reference is the least a profile could do: it counts into dicts and appends to lists, nothing decays and
nothing is pruned but the recent plays, and msgspec writes them.
"""

import argparse
from collections.abc import Callable, Iterator
from itertools import count
from time import process_time

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.decode import decode_all
from models.ids import artist_key_of, cached_key_of, key_of
from models.profile import Profile, ProfileView
from models.taste import TasteSettings, fold, most_tracks
from schemas.events import Listen
from services.simulator.crowd import make_crowd
from services.simulator.settings import CrowdSettings

BATCH = 500
NOON = 1_704_110_400
MANY = 512
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
    parser.add_argument("--past", default="0,3072,12288")
    args = parser.parse_args()
    one_event([int(each) for each in args.past.split(",")])
    decoded()
    crowd = make_crowd(CrowdSettings(listeners=args.listeners), np.random.default_rng(7))
    bulk(list(crowd.history(args.days).listens()))


def one_event(pasts: list[int]) -> None:
    print("one full profile, µs; the reference in brackets")
    print(f"{'past plays':>12}{'head':>9}{'past':>9}{'fold':>7}{'fold + head':>19}{'decode':>17}{'cold':>8}{'view':>7}")
    for plays in pasts:
        taste = TasteSettings(max_past=plays)
        data, past, coming = full(taste)
        warm = Profile.decode(data)
        for listen in (next(coming) for _ in range(100)):
            fold(warm, listen, 1, taste)
        lists = as_lists(data)
        packed = msgspec.msgpack.encode(lists)
        reader = msgspec.msgpack.Decoder(Lists)
        folding = least(lambda w=warm, c=coming, t=taste: fold(w, next(c), 1, t))
        live = least(lambda w=warm, c=coming, t=taste: one_live(w, next(c), t))
        writing = least(lambda it=lists: msgspec.msgpack.encode(it))
        reading = least(lambda d=data: Profile.decode(d))
        unpacking = least(lambda r=reader, p=packed: r.decode(p))
        cold = least(lambda d=data, c=coming, t=taste: one_cold(d, next(c), t))
        view = least(lambda d=data, p=past: read(d + p))
        print(f"{plays:>12,}{len(data):>9,}{len(past):>9,}{folding:>7.1f}{live:>9.1f} {f'({writing:.0f})':>9}"
              f"{reading:>9.1f} {f'({unpacking:.0f})':>7}{cold:>8.1f}{view:>7.1f}")  # fmt: skip


def decoded() -> None:
    """Profiles of one length, each by itself and as a batch of the profiler's asks for them."""
    print("a profile decoded, µs")
    print(f"{'plays':>12}{'alone':>9}{'among many':>13}{'ratio':>8}")
    taste = TasteSettings()
    for plays in (10, 100, 600):
        profiles = [Profile() for _ in range(MANY)]
        for at, (profile, tracks) in enumerate(
            zip(profiles, np.random.default_rng(4).integers(3_000, size=(MANY, plays)).tolist(), strict=True)
        ):
            for number, track in enumerate(tracks):
                when = (NOON + at + number * 9_000) * 1000
                fold(profile, Listen(f"e{number}", f"u{at}", f"t{track}", when), number, taste)
        heads = [profile.head() for profile in profiles]
        alone = least(lambda h=heads: [Profile.decode(head) for head in h]) / MANY
        many = least(lambda h=heads: decode_all(h)) / MANY
        print(f"{plays:>12,}{alone:>9.1f}{many:>13.1f}{alone / many:>8.2f}")


def one_live(profile: Profile, listen: Listen, taste: TasteSettings) -> bytes:
    """An event of a listener whom the profiler holds: the head is written, and the past when a segment was sealed."""
    fold(profile, listen, 1, taste)
    head, profile.past = profile.head(), b""
    return head


def one_cold(data: bytes, listen: Listen, taste: TasteSettings) -> bytes:
    """An event of a listener who is not in the profiler's cache: only the head is read."""
    profile = Profile.decode(data)
    fold(profile, listen, 1, taste)
    return profile.head()


def full(taste: TasteSettings) -> tuple[bytes, bytes, Iterator[Listen]]:
    """Head and past of a profile that is full but for the marks, and listens of known tracks that come after it."""
    rng = np.random.default_rng(3)
    profile = Profile()
    numbers = count()

    def listen(track: int) -> Listen:
        number = next(numbers)
        return Listen(f"e{number}", "ann", f"t{track}", (NOON + number * 200) * 1000, "play", f"a{track // 4}")

    for track in rng.integers(3_000, size=taste.max_recent + taste.max_past + 3_000).tolist():
        fold(profile, listen(track), 0, taste)
    for track in range(KNOWN):
        fold(profile, listen(track), 0, taste)
    fresh = count(10_000)
    while len(profile.tracks) < most_tracks(taste):
        fold(profile, listen(next(fresh)), 0, taste)
    return profile.head(), profile.past, (listen(at % KNOWN) for at in count())


def as_lists(data: bytes) -> Lists:
    view = ProfileView(data)
    own = (view.tracks, view.weights, view.steps, view.track_plays, view.track_skips)
    return Lists([each.tolist() for each in (*own, view.recent, view.recent_times, view.places, view.events)])


def read(data: bytes) -> tuple[NDArray[np.generic], ...]:
    """All that a scorer asks of a profile, where it is alone in its batch."""
    view = ProfileView(data)
    plays = (view.places, view.recent_times, view.recent_played, view.past, view.past_times, view.past_played)
    return (view.tracks, view.weights, view.steps, view.lasts, view.track_plays, view.track_skips, *plays)


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
        return sum(written(profiles[user]) for user in {listen.user_id for listen in batch})

    def reference(batch: list[Listen], _: int) -> int:
        for listen in batch:
            kept = bare.get(listen.user_id)
            if kept is None:
                kept = bare[listen.user_id] = Bare()
            take(kept, listen, taste.max_recent + taste.max_past)
        return sum(len(msgspec.msgpack.encode(bare[user])) for user in {listen.user_id for listen in batch})

    rate, size = rate_of(ours, log)
    bare_rate, bare_size = rate_of(reference, log)
    plays = sorted(profile.latest.count for profile in profiles.values())
    print(
        f"\nbulk: {len(log):,} listens of {len(profiles):,} listeners (median {plays[len(plays) // 2]:,} recent plays)"
    )
    print(f"ours {rate:,.0f} listens/s, {size:,.0f} bytes written a listen; "
          f"reference {bare_rate:,.0f} listens/s, {bare_size:,.0f} bytes; ratio {rate / bare_rate:.2f}")  # fmt: skip


def written(profile: Profile) -> int:
    """Bytes that a commit sends: the head, and the segments that were sealed."""
    sent, profile.past = len(profile.head()) + len(profile.past), b""
    return sent


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
