"""What goes wrong ends in one sentence that says what to do, with an exit code, and never in a traceback."""

import time
from pathlib import Path

import polars as pl
import pytest

from services.cli.loading import Form, Unit
from services.importer import formats, rows
from services.runtime import kafka_clients
from tests.unit.cli.conftest import Said, Segue

ONLINE = [
    ("listen", "ann", "track-1"),
    ("watch", "ann", "--for", "1s"),
    ("recommend", "ann"),
    ("topics", "apply"),
    ("topics", "plan"),
    ("import", "csv", "plays.csv"),
    ("releases", "list"),
    ("releases", "promote", "20260101-120000-000"),
    ("releases", "rollback"),
    ("report", "--since", "7d"),
]
SERVICES = [("profiler",), ("trainer",), ("scorer",), ("outcomes",)]


def ids(command: tuple[str, ...]) -> str:
    return " ".join(command[:2])


def sentence(said: Said) -> str:
    """The one line of standard error."""
    assert "Traceback" not in said.err
    lines = said.err.splitlines()
    assert len(lines) == 1, said.err
    return lines[0]


@pytest.fixture(autouse=True)
def plays(tmp_path: Path) -> None:
    (tmp_path / "plays.csv").write_text("user_id,listened_at,artist,track\nann,1700000000,Band,Song\n")


@pytest.mark.parametrize("command", ONLINE, ids=ids)
def test_no_broker(segue: Segue, nobody: str, command: tuple[str, ...]) -> None:
    began = time.monotonic()
    said = segue(*command)
    assert time.monotonic() - began < 10
    assert said.code == 69
    assert sentence(said).startswith(f"segue: no broker answers at {nobody} (")
    assert "start one with `segue up` or set SEGUE_KAFKA_BOOTSTRAP" in said.err


def test_who_waits_for_a_broker_waits_seconds() -> None:
    assert kafka_clients.BOOTSTRAP_MS <= 10_000


def test_something_that_is_no_broker(segue: Segue, silent: str, caplog: pytest.LogCaptureFixture) -> None:
    said = segue("topics", "plan")
    assert said.code == 69
    assert f"something listens at {silent}, but not a broker that is ready" in said.err
    assert "Traceback" not in said.err


@pytest.mark.parametrize("command", [*ONLINE, *SERVICES], ids=ids)
def test_an_address_that_is_none(segue: Segue, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]) -> None:
    monkeypatch.setenv("SEGUE_KAFKA_BOOTSTRAP", "kafka")
    if command in SERVICES:
        monkeypatch.setenv(f"SEGUE_{command[0].upper()}_METRICS_PORT", "0")
    said = segue(*command)
    assert said.code in (1, 2)
    assert "Traceback" not in said.err
    assert said.err.splitlines()[-1].endswith("SEGUE_KAFKA_BOOTSTRAP='kafka': 'kafka' is not host:port")


@pytest.mark.parametrize("command", [*ONLINE, *SERVICES, ("demo",)], ids=ids)
@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("SEGUE_KAFAK_BOOTSTRAP", "a:1", "SEGUE_KAFAK_BOOTSTRAP: unknown setting; a name starts with one of kafka"),
        ("SEGUE_KAFKA_SERVER", "a:1", "SEGUE_KAFKA_SERVER: unknown setting; known in [kafka]: bootstrap"),
        ("SEGUE_KAFKA_HEARTBEAT_MS", "soon", "SEGUE_KAFKA_HEARTBEAT_MS='soon': Expected `int`"),
        ("SEGUE_CONFIG", "nowhere.toml", "SEGUE_CONFIG: cannot read nowhere.toml: No such file or directory"),
    ],
)
def test_a_wrong_setting_is_named(
    segue: Segue, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    said = segue(*command)
    assert said.code in (1, 2)
    assert says in sentence(said)


def test_security_by_half(segue: Segue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_KAFKA_SECURITY", "SASL_SSL")
    monkeypatch.setenv("SEGUE_KAFKA_USER", "ann")
    said = segue("topics", "plan")
    assert said.code == 2
    assert "SEGUE_KAFKA_PASSWORD is not set" in sentence(said)


def test_a_password_is_never_shown(segue: Segue, nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEGUE_KAFKA_PASSWORD", "hush-hush")  # set, but PLAINTEXT would send it in clear
    said = segue("topics", "plan")
    assert said.code == 2
    assert "SEGUE_KAFKA_PASSWORD is set but SEGUE_KAFKA_SECURITY is PLAINTEXT" in sentence(said)
    assert "hush-hush" not in said.err + said.out


@pytest.fixture
def release(segue: Segue, tmp_path: Path) -> str:
    """A small release, trained by `segue train`."""
    listens = [(f"u{u}", 1_700_000_000 + 60 * t, f"band-{t % 3}", f"song-{t}") for u in range(4) for t in range(8)]
    frame = pl.DataFrame(listens, schema=["user_id", "listened_at", "artist", "track"], orient="row")
    frame.write_csv(tmp_path / "listens.csv")
    assert segue("train", "--listens", "listens.csv", "--out", "release").code == 0
    return "release"


def test_a_release_that_is_not_there(segue: Segue) -> None:
    for command in (("recommend", "ann", "--release", "nowhere"), ("releases", "show", "nowhere")):
        said = segue(*command)
        assert said.code == 1
        assert "nowhere" in sentence(said)
    assert "`segue releases list` shows what there is" in said.err


def test_a_release_without_profiles(segue: Segue, release: str, tmp_path: Path) -> None:
    (tmp_path / release / "profiles.parquet").unlink()
    said = segue("recommend", "u1", "--release", release)
    assert said.code == 1
    assert "only a release made by `segue train` has its listeners' profiles" in sentence(said)


def test_an_altered_release(segue: Segue, release: str, tmp_path: Path) -> None:
    factors = tmp_path / release / "als_factors.npy"
    factors.write_bytes(factors.read_bytes()[:-1] + b"!")
    for command in (("recommend", "u1", "--release", release), ("releases", "show", release)):
        said = segue(*command)
        assert said.code == 1
        assert "als_factors.npy: not the file that was published" in sentence(said)


def test_a_release_is_never_overwritten(segue: Segue, release: str) -> None:
    said = segue("train", "--listens", "listens.csv", "--out", release)
    assert said.code == 1
    assert "release exists: a release is never overwritten; name another --out" in sentence(said)


@pytest.mark.parametrize(
    ("value", "says"), [("als", "is not one `name=quota`"), ("radio=2", "no source 'radio'; known: history, recent")]
)
def test_a_wrong_table_of_sources(
    segue: Segue, release: str, monkeypatch: pytest.MonkeyPatch, value: str, says: str
) -> None:
    monkeypatch.setenv("SEGUE_LIST_SOURCES", value)
    said = segue("recommend", "u1", "--release", release)
    assert said.code == 2
    assert says in sentence(said)


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("listen", "ann", "t1", "--kind", "hum"), "'hum' is not one of 'play', 'skip', 'love', 'ban', 'unban'"),
        (("listen", "ann", "t1", "--scope", "all"), "'all' is not one of 'track', 'artist'"),
        (("import", "ogg", "plays.csv"), "'ogg' is not one of 'auto', 'listenbrainz'"),
        (("import", "csv", "plays.csv", "--time-unit", "h"), "'h' is not one of 's', 'ms', 'us', 'ns'"),
        (("profiler", "--loop", "endless"), "'endless' is not one of 'faust', 'bulk'"),
        (("topics", "plan", "--partitions", "listens"), "'listens' is not TOPIC=N"),
        (("recommend", "ann", "-n", "0"), "greater than or equal to 1"),
        (("watch",), "Missing argument 'user'"),
    ],
    ids=lambda value: ids(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_meant_is_a_usage_error(segue: Segue, command: tuple[str, ...], says: str) -> None:
    said = segue(*command)
    assert said.code == 2
    assert says in said.one_line


def test_the_choices_are_those_of_the_importer() -> None:
    """They are repeated on the command line, since loading the importer would make --help slow."""
    assert Form.__args__ == ("auto", *formats.Format.__args__)  # type: ignore[attr-defined]  # how a Literal tells
    assert Unit.__args__ == rows.Unit.__args__  # type: ignore[attr-defined]


def test_files_that_are_not_there(segue: Segue) -> None:
    for command in (
        ("import", "csv", "no.csv", "--check"),
        ("train", "--listens", "no.csv", "--out", "release"),
        ("bench", "memory", "--listens", "no.csv"),
        ("bench", "size", "--files", "no.csv"),
    ):
        said = segue(*command)
        assert said.code == 1
        assert said.err.splitlines()[-1].endswith("no.csv: no such file or folder")
        assert "Traceback" not in said.err


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only known troubles are put into a sentence."""
    from services.cli import __main__ as cli

    def broken(prog_name: str) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(cli, "app", broken)
    with pytest.raises(ZeroDivisionError):
        cli.main()
