"""Songs a second that one core classifies: lyrics to cleaned words, to TF-IDF, to topics by ONNX Runtime.

    python benchmarks/lyrics_topics.py RELEASE LYRICS.csv     (a CSV with a column `text` or `lyrics`)

Reckoned in the processor's seconds, which other work on the machine does not lengthen. Without arguments it says what
it needs: it trains nothing.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from time import process_time

import polars as pl

WANTED = 5_000
SONGS = 4_000


def timed(count: int, work: Callable[[], object]) -> float:
    """Songs a second, the best of three."""
    best = 0.0
    for _ in range(3):
        begun = process_time()
        work()
        best = max(best, count / (process_time() - begun))
    return best


def main(folder: Path, file: Path) -> None:
    from models.lyrics.serve import TopicClassifier, Topics
    from models.lyrics.songs import GRAPH, TERMS
    from models.lyrics.text import Cleaner
    from models.lyrics.tfidf import Tfidf

    frame = pl.read_csv(file, infer_schema=False)
    texts = frame["text" if "text" in frame.columns else "lyrics"].drop_nulls().to_list()[:SONGS]
    classifier = TopicClassifier(Tfidf.load(folder / TERMS), Topics.load(folder / GRAPH))
    cleaner = Cleaner()
    words = [cleaner.words(text) for text in texts]  # also fills the cleaner's memory, as a service's is
    cleaned = timed(len(texts), lambda: classifier.probabilities(words))
    whole = timed(len(texts), lambda: classifier.probabilities([cleaner.words(text) for text in texts]))
    mean = sum(map(len, words)) / len(words)
    print(f"{len(texts):,} songs of {mean:.0f} cleaned words on the average, one thread, CPU seconds")
    print(f"songs/s from cleaned words: {cleaned:,.0f}; from lyrics as they are: {whole:,.0f}; wanted {WANTED:,}")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        print("skipped: name a release folder with topics and a CSV of lyrics (python benchmarks/lyrics_topics.py …)")
    else:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
