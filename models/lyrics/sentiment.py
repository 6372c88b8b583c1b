"""How a song feels: VADER (Hutto & Gilbert 2014), whose lexicon is inside its package, on each line as it is sung."""

from collections import Counter
from collections.abc import Callable

MOST_LINES = 200  # different ones of a song

LONGEST = 16  # words of a line; of more, VADER says only how long it is

Sentiment = Callable[[str], float]


def sentiment() -> Sentiment:
    """A function lyrics -> mean over its lines, −1 (bad) to 1 (good); 0 for none. For English."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    analyzer = SentimentIntensityAnalyzer()

    def felt(lyrics: str) -> float:
        lines = Counter(piece for line in lyrics.splitlines() for piece in _pieces(line))
        total = found = 0.0
        for line, times in lines.most_common(MOST_LINES):
            total += times * float(analyzer.polarity_scores(line)["compound"])
            found += times
        return total / found if found else 0.0

    return felt


def _pieces(line: str) -> list[str]:
    words = line.split()
    return [" ".join(words[at : at + LONGEST]) for at in range(0, len(words), LONGEST)]
