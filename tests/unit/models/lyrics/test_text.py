import pytest

for package in ("simplemma", "stop_words", "inflect", "snowballstemmer"):
    pytest.importorskip(package, reason="needs the packages that clean text: pip install 'segue[lyrics]'")

from models.lyrics.text import Cleaner


def test_case_marks_digits_and_stop_words() -> None:
    assert Cleaner("plain").words("[Chorus]\nThe RIVER, 24 miles (x2)") == ["river", "twenty", "four", "miles"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("lemma", ["heart", "break", "river"]),
        ("stem", ["heart", "broken", "river"]),
        ("plain", ["hearts", "broken", "rivers"]),
    ],
)
def test_what_becomes_of_a_word_is_a_setting(words: str, said: list[str]) -> None:
    assert Cleaner(words, language="en").words("Hearts broken rivers") == said  # type: ignore[arg-type]  # of a test


def test_a_swallowed_g_is_given_back_and_a_contraction_is_a_stop_word() -> None:
    assert Cleaner("plain").words("Don't you’re rollin' rollin’") == ["rolling", "rolling"]


def test_stop_words_may_stay() -> None:
    assert Cleaner("plain", stop_words=False).words("to the river") == ["to", "the", "river"]


def test_another_language_is_cleaned_by_its_own_rules() -> None:
    assert Cleaner("plain", language="de").words("Und die Häuser, 77 Brücken") == ["häuser", "77", "brücken"]
    assert Cleaner("lemma", language="de").words("Häuser") == ["haus"]
    assert Cleaner("lemma", language="xx").words("Häuser") == ["häuser"]


def test_languages_are_told_apart_and_lemmatised_english_is_english() -> None:
    pytest.importorskip("py3langid", reason="needs segue[lyrics]")
    from models.lyrics.language import detector

    detect = detector()
    german = "Ich gehe heute abend allein durch die alte Stadt und denke immer noch an dich und unsere Zeit am Meer"
    assert detect(german) == "de"
    assert detect("I walk alone tonight through the old town and I still think of you") == "en"
    assert detect("walk night town think hold time sea break heart") == "en"
    assert detect("") == "en"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Река несёт мою лодку далеко, звезда горит над водою", {"ru", "uk", "mk"}),
        ("Вечерас ходам сам поред реке и чекам да се вратиш кући кад падне снег", {"sr"}),
        ("Večeras hodam sama uz rijeku i čekam da se vratiš kući kad padne snijeg na grad", {"hr", "sr", "bs"}),
        ("Malam ini aku berjalan seorang diri di tepi sungai dan menunggu kau pulang ke rumah", {"ms", "id"}),
        ("I kveld går jeg alene langs elva og venter på at du skal komme hjem til meg", {"no", "da", "nn"}),
    ],
)
def test_a_language_whose_neighbour_may_be_meant_is_not_english(text: str, told: set[str]) -> None:
    pytest.importorskip("py3langid", reason="needs segue[lyrics]")
    from models.lyrics.language import detector

    assert detector()(text) in told


@pytest.mark.parametrize("beyond_ascii", ["", " é"])
def test_words_of_ascii_are_told_apart_as_all_others_are(beyond_ascii: str) -> None:
    said = "[Intro] x2 (3x) box2 42nd rollin'' o'er’n it's-a_river\n[not a mark\n(x 2)" + beyond_ascii
    found = Cleaner("plain", stop_words=False).words(said)
    assert found == ["box", "two", "forty", "two", "nd", "rolling", "it", "river", "not", "mark"]


def test_words_beyond_the_most_are_worked_out_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Cleaner, "MOST", 2)
    cleaner = Cleaner("plain")
    for _ in range(2):
        assert cleaner.words("river road house window") == ["river", "road", "house", "window"]
    assert set(cleaner._known) == {"house", "window"}


def test_songs_that_are_timed_are_none_that_the_cleaner_was_warmed_up_on() -> None:
    from benchmarks.lyrics_topics import halves

    timed, others = halves(["a", "b", "a", "c", "b", "d", "e"])
    assert (timed, others) == (["a", "b"], ["c", "d", "e"])
