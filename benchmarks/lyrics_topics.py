"""Songs a second that one core classifies: lyrics to cleaned words, to TF-IDF, to topics by ONNX Runtime.

    python benchmarks/lyrics_topics.py RELEASE LYRICS.csv     (a CSV with a column `text` or `lyrics`)

The file's first half of songs is timed; the second, which has none of them, is what everything is warmed up on. `cold`
begins with a cleaner that has seen no word at all. Reckoned in the processor's seconds, which other work on the machine
does not lengthen. Without arguments it says what it needs: it trains nothing.
"""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING

import polars as pl

if TYPE_CHECKING:
    from models.lyrics.serve import TopicClassifier
    from models.lyrics.text import Cleaner

WANTED = 5_000
SONGS = 4_000
ROUNDS = 3


def timed(count: int, work: Callable[[], object]) -> float:
    """Songs a second. Of one run: at a second one no word would be new."""
    begun = process_time()
    work()
    return count / (process_time() - begun)


def halves(texts: list[str]) -> tuple[list[str], list[str]]:
    """Songs to time, at most SONGS, and others to warm up on; a song that comes twice is in one of them."""
    once = list(dict.fromkeys(texts))
    count = min(SONGS, len(once) // 2)
    return once[:count], once[count:]


def main(folder: Path, file: Path) -> None:
    from msgspec.json import decode

    from models.lyrics.serve import TopicClassifier, Topics
    from models.lyrics.songs import ABOUT, GRAPH, TERMS, About
    from models.lyrics.text import Cleaner
    from models.lyrics.tfidf import Tfidf

    frame = pl.read_csv(file, infer_schema=False)
    asked, others = halves(frame["text" if "text" in frame.columns else "lyrics"].drop_nulls().to_list())
    if not asked:
        sys.exit(f"{file}: two songs or more are needed, one to time and one to warm up on")
    about = decode((folder / ABOUT).read_bytes(), type=About)
    classifier = TopicClassifier(Tfidf.load(folder / TERMS), Topics.load(folder / GRAPH))
    found: dict[str, list[float]] = {"from cleaned words": [], "from lyrics": [], "from lyrics, cold": []}
    for _ in range(ROUNDS):
        warm, cold = (Cleaner(about.words, about.stop_words) for _ in range(2))
        classifier.probabilities([warm.words(text) for text in others])
        cold.words("word 24")  # loads the dictionaries
        made = {"from lyrics": warm, "from lyrics, cold": cold}
        for name, cleaner in made.items():
            found[name].append(timed(len(asked), partial(_classify, classifier, cleaner, asked)))
        words = [warm.words(text) for text in asked]
        found["from cleaned words"].append(timed(len(asked), partial(classifier.probabilities, words)))
    mean = sum(map(len, words)) / len(words)
    print(f"{len(asked):,} songs of {mean:.0f} cleaned words on the average, one thread, CPU seconds, {ROUNDS} runs")
    print("songs/s " + "; ".join(f"{name}: {min(each):,.0f}–{max(each):,.0f}" for name, each in found.items()))
    print(f"wanted: {WANTED:,}")


def _classify(classifier: "TopicClassifier", cleaner: "Cleaner", texts: list[str]) -> object:
    return classifier.probabilities([cleaner.words(text) for text in texts])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print("skipped: name a release folder with topics and a CSV of lyrics (python benchmarks/lyrics_topics.py …)")
    else:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
