"""How lyrics are read and what is learned of them; defaults: docs/lyrics.md."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

Positive = Annotated[int, Meta(ge=1)]
Share = Annotated[float, Meta(ge=0, le=1)]


class LyricsSettings(Struct, frozen=True, forbid_unknown_fields=True):
    """One table for the trainer and the command line; kept in the release's manifest."""

    words: Literal["lemma", "stem", "plain"] = "lemma"  # what becomes of a word that is kept
    stop_words: bool = True  # left out, by the language's own list
    min_songs: Positive = 20  # songs with lyrics; with fewer a release has no lyrics part
    features: Positive = 5_000  # of TF-IDF, words and pairs of words
    topic_songs: Positive = 5  # labelled songs that a topic needs; with fewer it is none
    topic_seeds: Positive = 2  # splits by artist that the four classifiers are compared on
    margin: Share = 0.01  # macro F1 that a network must be above the linear model to be shipped
    vocabulary: Positive = 10_000  # words of the song model; all others are one
    length: Positive = 120  # words of a song that the song model sees
    dimensions: Positive = 64  # of a song's vector
    epochs: Positive = 60  # of the song model
    clusters: Positive = 24  # groups of songs, at most
    threads: Annotated[int, Meta(ge=0)] = 0  # of a fit; 0: every core
    seed: Annotated[int, Meta(ge=0)] = 42
