"""Keeping the announced release in force: load it beside the old one, warm it, swap one reference.

A release that cannot be used is refused: counted, logged, and the old one keeps serving. It is tried again later, in
case only its disk was away.
"""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from models.profile import ProfileView
from models.release import BadRelease, load
from schemas.release import ReleaseAnnounced
from services.runtime.garbage import look
from services.scorer.arms import Arms
from services.scorer.metrics import Metrics
from services.scorer.newcomers import Newcomers
from services.scorer.split import Split

log = logging.getLogger(__name__)


class Releases:
    """What makes the lists now. One thread calls `follow`; any may read `current` and gets one whole release."""

    def __init__(
        self,
        split: Split,
        metrics: Metrics,
        warming: Callable[[], Sequence[bytes]],
        clock: Callable[[], float],
        retry_s: float,
        newcomers: Newcomers | None = None,
    ) -> None:
        """`warming` gives profiles seen lately; `clock` gives seconds (time.monotonic). No newcomers: none join."""
        self._newcomers = newcomers
        self.current: Arms | None = None
        self._split, self._metrics = split, metrics
        self._warming, self._clock = warming, clock
        self._retry_s = retry_s
        self._followed = False  # whether newcomers are looked for beside the release in force
        self._taken: tuple[str, str] | None = None  # id and hash of what is in force
        self._refused: tuple[tuple[str, str], float] | None = None  # what was refused, when

    def follow(self, announced: ReleaseAnnounced | None) -> None:
        """Put the announced release in force, unless it is or was just refused, and see who joins the one that is.

        Raises Transient, nothing for a bad release.
        """
        if announced is None:
            return
        wanted = (announced.release_id, announced.sha256)
        if wanted == self._taken or self._just_refused(wanted):
            self._grow()
            return
        begun = self._clock()
        try:
            arms = self._warmed(announced)
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a release must not end what works
            self._refused = (wanted, self._clock())
            self._metrics.refused(type(error).__name__)
            kept = self.current.release.id if self.current else "none yet"
            log.error("release %s is refused: %s: %s; in force: %s", wanted[0], type(error).__name__, error, kept)
            return
        first = self.current is None
        self.current, self._taken, self._refused = arms, wanted, None
        self._followed = False
        if first:
            look()  # compiling leaves more than a hundred MB of cycles; now nobody waits for a list yet
        self._metrics.released(arms.release.manifest, self._clock() - begun)
        log.info("release %s is in force, loaded in %.1f s", wanted[0], self._clock() - begun)

    def _grow(self) -> None:
        """Let tracks join that were announced since the release was trained."""
        if self._newcomers is None or self.current is None:
            return
        if not self._followed:
            self._newcomers.begin(self.current.release)
            self._followed = True
        self._newcomers.hear()
        try:
            found = self._newcomers.grown()
            if found is None:
                return
            release, count = found
            arms = Arms(release, self._split)
            arms.warm(self._profiles())
        except Exception as error:  # noqa: BLE001  # whatever is wrong with a newcomer must not end what works
            self._metrics.refused(type(error).__name__)
            log.error(
                "release %s: the tracks announced since cannot join: %s: %s",
                self.current.release.id, type(error).__name__, error,
            )  # fmt: skip
            return
        self.current = arms
        self._newcomers.settle()
        self._metrics.joined(count)
        log.info("release %s: %d tracks announced since have joined", release.id, count)

    def _profiles(self) -> list[ProfileView]:
        return [ProfileView(data) for data in self._warming()]

    def _warmed(self, announced: ReleaseAnnounced) -> Arms:
        release = load(local_folder(announced.uri), announced.sha256)
        if release.id != announced.release_id:
            raise BadRelease(f"{announced.uri}: holds release {release.id}, not the announced {announced.release_id}")
        arms = Arms(release, self._split)
        # With real profiles: the first list after the swap is as fast as any, and a release that fails on them is found
        # out before it serves.
        arms.warm(self._profiles())
        return arms

    def _just_refused(self, wanted: tuple[str, str]) -> bool:
        if self._refused is None or self._refused[0] != wanted:
            return False
        return self._clock() - self._refused[1] < self._retry_s


def local_folder(uri: str) -> Path:
    """The folder of a release: a path or file:// URI. Raises BadRelease for any other scheme."""
    if "://" not in uri:
        return Path(uri)
    parts = urlsplit(uri)
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise BadRelease(f"{uri}: only paths and file:/// URIs can be loaded yet; mount the store as a folder")
    return Path(unquote(parts.path))
