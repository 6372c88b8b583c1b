"""Lyrics to words: letter case, digits, stop words, lemmas or stems. Every list ships inside its package.

Words of a language are cleaned by that language's rules; only in English are digits put into words. Lemmas are
simplemma's (dictionaries of 49 languages), stems Snowball's (Porter 2001), stop words the package stop-words'.
"""

import re
from collections.abc import Callable, Iterable
from functools import cache
from itertools import chain
from typing import Literal

Words = Literal["lemma", "stem", "plain"]
Turn = Callable[[str], str]

LONGEST_NUMBER = 9  # digits; a longer one is a code, not a number that is sung
# [Chorus], (x2). Told first by which characters a mark begins: to try each at every place takes twice as long.
_MARKS = re.compile(r"(?=[\[(x\d])(?:\[[^\]\n]{0,60}\]|\([x×]?\s?\d+[x×]?\)|\b\d+x\b|\bx\d+\b)")
_TOKENS = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*'?|\d+")
_ASCII_TOKENS = re.compile(r"[a-z]+(?:'[a-z]+)*'?|[0-9]+")  # the same of lower-case ASCII, found in less time
# The package counts these among its stop words, but digits are not put into words to be left out. "one" stays among
# them: it is mostly a pronoun.
_SAID = """zero two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand million"""
_NUMBERS = frozenset(_SAID.split())
_SNOWBALL = {
    "ar": "arabic", "da": "danish", "de": "german", "en": "english", "es": "spanish", "fi": "finnish",
    "fr": "french", "hu": "hungarian", "it": "italian", "nb": "norwegian", "nl": "dutch", "no": "norwegian",
    "pt": "portuguese", "ro": "romanian", "ru": "russian", "sv": "swedish", "tr": "turkish",
}  # fmt: skip


class Remembered(dict[str, tuple[str, ...]]):
    """What words become: worked out once, remembered up to `most` words, then begun anew."""

    def __init__(self, clean: Callable[[str], Iterable[str]], most: int) -> None:
        super().__init__()
        self._clean, self._most = clean, most

    def __missing__(self, token: str) -> tuple[str, ...]:
        if len(self) >= self._most:
            self.clear()
        kept = self[token] = tuple(self._clean(token))
        return kept


class Cleaner:
    """Cleans the lyrics of one language."""

    MOST = 1_000_000  # words that are remembered

    def __init__(self, words: Words = "lemma", stop_words: bool = True, language: str = "en") -> None:
        """Raises ModuleNotFoundError when the packages of the extra `lyrics` are missing."""
        self._turn = _turn(words, language)
        self._stopped = _stopped(language) if stop_words else frozenset()
        self._spoken: Turn = _spoken if language == "en" else lambda number: number
        self._english = language == "en"
        self._known = Remembered(self._clean, self.MOST)

    def words(self, text: str) -> list[str]:
        """The cleaned words of a text, in its order."""
        text = _MARKS.sub(" ", text.lower().replace("’", "'"))
        tokens = (_ASCII_TOKENS if text.isascii() else _TOKENS).findall(text)
        return list(chain.from_iterable(map(self._known.__getitem__, tokens)))

    def _clean(self, token: str) -> Iterable[str]:
        if token.isdecimal():
            if len(token) > LONGEST_NUMBER:
                return ()
            parts = re.findall(r"[^\W_]+", self._spoken(token))
            return [part for part in parts if part not in self._stopped]
        if token in self._stopped or token.replace("'", "") in self._stopped:
            return ()
        if self._english:
            token = token[:-1] + "g" if token.endswith("in'") else token  # singin' → singing
            token = token.partition("'")[0]
        turned = self._turn(token.strip("'"))
        return [turned] if len(turned) > 1 and turned not in self._stopped else ()


def languages_known() -> frozenset[str]:
    """Languages that there are rules for."""
    return frozenset(_SNOWBALL)


@cache
def _stopped(language: str) -> frozenset[str]:
    from stop_words import StopWordError, get_stop_words

    try:
        found = frozenset(word.lower().replace("’", "'") for word in get_stop_words(language))
    except StopWordError:  # it has none of this language
        return frozenset()
    return found - _NUMBERS if language == "en" else found


def _turn(words: Words, language: str) -> Turn:
    if words == "lemma":
        return _lemma(language)
    if words == "stem" and language in _SNOWBALL:
        import snowballstemmer

        stem: Turn = snowballstemmer.stemmer(_SNOWBALL[language]).stemWord
        return stem
    return lambda word: word


def _lemma(language: str) -> Turn:
    import simplemma

    if language not in _SNOWBALL:
        return lambda word: word
    return lambda word: simplemma.lemmatize(word, lang="nb" if language == "no" else language).lower()


@cache
def _engine() -> Callable[[str], str]:
    import inflect

    said: Callable[[str], str] = inflect.engine().number_to_words
    return said


def _spoken(number: str) -> str:
    """Digits in English words: 24 → twenty-four."""
    return str(_engine()(number))
