"""How a list is made: what an operator may turn (docs/lists.md says what each does)."""

from typing import Annotated, Literal, get_args

from msgspec import Meta, Struct, ValidationError, convert, to_builtins

Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0)]

MOST = 500  # tracks in a list
SHORTEST = 40  # tracks: a shorter list is the beginning of one of so many
SOURCES = (
    "history",
    "recent",
    "sequence",
    "around",
    "sessions",
    "transitions",
    "neighbours",
    "artists",
    "similar",
    "new",
    "trending",
    "als",
    "lyrics",
    "popular",
    "sounds",
)  # what there is, each a file of this folder


Mix = Literal["for-you", "up-next", "discover", "familiar", "playlist"]
ALONE: tuple[Mix, ...] = ("playlist",)  # mixes of candidates of their own, that share none with another
RANKED: tuple[Mix, ...] = ("for-you", "up-next")  # mixes that a release may bring a ranker for


class BadSources(ValueError):
    """The table of sources or of mixes names one that does not exist, or a number that is none."""


class ListSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One table for every list: scorer, CLI and evaluation read the same."""

    length: Annotated[int, Meta(ge=1, le=MOST)] = 50
    mix: Mix = (
        "for-you"  # what the list is for: the coming week, what to play now, only unseen or known tracks, by sound
    )
    familiar: Share | None = None  # share of tracks the listener knows already; none: what the scores say
    artist_cap: Count = 0  # tracks of one artist in a list; 0: as many as there are
    release_cap: Count = 0  # tracks of one release (album, single) of an artist in a list; 0: as many as there are
    # Tracks of one kind (known, begun and skipped, unseen) in a list, so that a long one runs on to the new; 0: no cap,
    # nor is there one where `familiar` says how much of a list is known.
    kind_cap: Count = 100
    just_played: Count = 0  # the last so many plays are left out (of a track in 13 the next play is that track again) …
    just_played_minutes: Count = 0  # … and whatever was played in so many minutes before the newest
    shown_days: Count = 0  # a track shown on so many days and not played rests …
    shown_rest_days: Annotated[int, Meta(ge=1)] = 7  # … for so many; 0 days: none does
    exclude: str = ""  # file of tracks and artists that are in nobody's list
    mixes: str = ""  # more lists beside the one of `mix`, from the same candidates: `discover=30 up-next=20`
    # Which sources bring candidates, in this order, and how many for each track of the list (of SHORTEST at least).
    sources: str = (
        "history=2 recent=3 sequence=2 around=2 sessions=2 "
        "transitions=1 neighbours=2 artists=2 als=1 popular=1 sounds=1"
    )

    def quotas(self) -> dict[str, float]:
        """Source name -> candidates for each track of the list. Raises BadSources naming the part that is wrong."""
        quotas: dict[str, float] = {}
        for part in self.sources.replace(",", " ").split():
            name, _, number = part.partition("=")
            try:
                quota = float(number)
            except ValueError:
                quota = -1.0
            if not 0 < quota <= 100 or name in quotas:
                raise BadSources(
                    f"SEGUE_LIST_SOURCES={self.sources!r}: {part!r} is not one `name=quota`, "
                    "quota a number over 0 and up to 100; leave a source out to switch it off"
                )
            if name not in SOURCES:
                raise BadSources(
                    f"SEGUE_LIST_SOURCES={self.sources!r}: no source {name!r}; known: {', '.join(SOURCES)}"
                )
            quotas[name] = quota
        if not quotas:
            raise BadSources("SEGUE_LIST_SOURCES is empty: without a source there are no lists")
        return quotas

    def more(self) -> dict[Mix, int]:
        """Mix -> length, of the lists beside the one of `mix`. Raises BadSources naming the part that is wrong."""
        found: dict[Mix, int] = {}
        for part in self.mixes.replace(",", " ").split():
            name, equals, number = part.partition("=")
            length = int(number) if number.isdecimal() else 0 if equals else self.length
            known = next((mix for mix in get_args(Mix) if mix == name), None)
            others = [mix for mix in get_args(Mix) if mix not in (self.mix, *ALONE) and self.mix not in ALONE]
            if known is None or known in found or known not in others or not 1 <= length <= MOST:
                raise BadSources(
                    f"SEGUE_LIST_MIXES={self.mixes!r}: {part!r} is not one `mix` or `mix=length`, length 1 to {MOST}; "
                    f"mixes beside {self.mix}: {', '.join(others)}"
                )
            found[known] = length
        return found


def changed(settings: ListSettings, changes: str) -> ListSettings:
    """The settings with some of them changed: `mix=up-next sources=history=4,als=2`. Raises BadSources."""
    new: dict[str, str] = {}
    for part in changes.split():
        name, equals, value = part.partition("=")
        if not equals or name not in ListSettings.__struct_fields__ or name in new:
            known = ", ".join(ListSettings.__struct_fields__)
            raise BadSources(f"{part!r} is not one `name=value` of a list's: {known}")
        new[name] = value
    try:
        found = convert({**to_builtins(settings), **new}, ListSettings, strict=False)
    except ValidationError as error:
        raise BadSources(str(error)) from error
    found.quotas()
    found.more()
    return found
