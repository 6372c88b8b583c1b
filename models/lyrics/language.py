"""Which language a song is in. A song is taken for English unless the detector is sure that it is not.

Detection is py3langid's (Lui & Baldwin 2012), whose model is inside the package. Lyrics that were lemmatised and
stripped of stop words look like no language, so what the detector says is held against the English dictionary.
"""

import re
from collections.abc import Callable

SURE = 0.9  # probability that the detector must give all other languages together: Serbian and Croatian share it …
ENGLISH = 0.6  # … and the share of English words below which it is believed
SEEN = 2_000  # characters that tell it
_WORDS = re.compile(r"[^\W\d_]{2,}")

Detect = Callable[[str], str]


def detector() -> Detect:
    """A function text -> ISO 639-1 code. Raises ModuleNotFoundError when the extra `lyrics` is missing."""
    import simplemma
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    known: dict[str, bool] = {}

    def english(word: str) -> bool:
        if word not in known:
            known[word] = bool(simplemma.is_known(word, lang="en"))
        return known[word]

    def detect(text: str) -> str:
        seen = text[:SEEN].lower()
        words = _WORDS.findall(seen)
        share = sum(map(english, words)) / len(words) if words else 1.0
        if share >= ENGLISH:
            return "en"
        ranked = identifier.rank(seen)
        if 1 - dict(ranked)["en"] < SURE:
            return "en"
        return str(next(language for language, _ in ranked if language != "en"))

    return detect
