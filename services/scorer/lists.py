"""From a recommender's tracks to the message that carries them."""

from models.profile import ProfileView
from models.recommender import Recommender
from schemas.codec import MAX_BYTES, encode
from schemas.profile import ProfileChanged
from schemas.recommendation import Item, Recommendations
from services.scorer.split import A


def written(
    notice: ProfileChanged,
    view: ProfileView | None,
    items: list[Item],
    release: str,
    now: int,
    variant: str = A,
    mixes: dict[str, list[Item]] | None = None,
) -> Recommendations:
    """The message for a list. Its id says what it was made from, so a repeat is recognised."""
    version = notice.version if view is None else view.version
    # Of a profile newer than its notice the exact ms of its newest listen are not known, only the second.
    listened_at = notice.listened_at if view is None or version == notice.version else view.newest * 1000
    list_id = f"{notice.partition}-{version}-{release}"
    if variant != A:
        list_id += f"-{variant}"
    return Recommendations(
        list_id, notice.user_id, notice.partition, version, release, now,
        listened_at, notice.produced_at, items, variant, mixes or {},
    )  # fmt: skip


def fitting(made: Recommendations) -> bytes:
    """The list's bytes; one too long for a message (ids of hundreds of characters) loses its tail.

    Of several lists the longest is cut, of equally long ones another than the first.
    """
    data = encode(made)
    while len(data) > MAX_BYTES:
        longest = max((*made.mixes.values(), made.items), key=len)
        del longest[len(longest) // 2 :]
        data = encode(made)
    return data


def answer(
    user_id: str, data: bytes | None, recommender: Recommender, length: int, now: int, partition: int = 0
) -> Recommendations:
    """One message on the spot, outside the loop, from a profile's bytes (None: a stranger). Raises BadProfile.

    `partition`: the listener's, of `listens`; where there is no broker there is none.
    """
    view = None if data is None else ProfileView(data)
    version, newest = (max(0, view.version), view.newest * 1000) if view else (0, 0)
    notice = ProfileChanged(user_id, partition, version, newest, now)
    items, mixes = recommender.recommend_all([view], length)[0]
    return written(notice, view, items, recommender.release.id, now, mixes=mixes)
