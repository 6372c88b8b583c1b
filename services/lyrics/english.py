"""New songs in English: what the record and the judge of topics clean by English rules, and nothing else."""

import polars as pl
from msgspec import Struct

from models.lyrics.songs import ENGLISH


class LeftOut(Struct, frozen=True):
    """How many songs were left out."""

    other_languages: int
    same_words: int  # as an English song before; neither case nor spaces tell them apart

    def __str__(self) -> str:
        return (
            f"left out: {self.other_languages:,} {'song' if self.other_languages == 1 else 'songs'} in another "
            f"language, {self.same_words:,} with the words of one before {'it' if self.same_words == 1 else 'them'}"
        )


def english(songs: pl.DataFrame) -> tuple[pl.DataFrame, LeftOut]:
    """The songs in English (column `lyrics`), of those that say the same the first."""
    from models.lyrics.language import detector

    detect = detector()
    told = pl.Series([detect(text) == ENGLISH for text in songs["lyrics"]], dtype=pl.Boolean)
    understood = songs.filter(told)
    said = pl.Series([" ".join(text.casefold().split()) for text in understood["lyrics"]], dtype=pl.String)
    kept = understood.filter(said.is_first_distinct())
    return kept, LeftOut(songs.height - understood.height, understood.height - kept.height)
