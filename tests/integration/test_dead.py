"""`segue dead` on a real broker: found, shown, mended, sent once."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from kafka import KafkaProducer
from typer.testing import CliRunner

from models.admission import admit
from schemas.codec import encode
from schemas.dead_letter import DeadLetter
from schemas.errors import Poison
from schemas.events import Listen
from schemas.topics import DEAD, LISTENS
from services.cli.__main__ import app
from services.cli.errors import KNOWN, exit_code
from services.dead.letters import REPLAYED
from services.local.stack import LocalStack
from services.runtime import kafka_clients, topics
from services.runtime.kafka_log import KafkaLog, Record
from services.runtime.settings import KafkaSettings

NOW = int(time.time() * 1000)


class Done(NamedTuple):
    """What a command left."""

    returncode: int
    stdout: str
    stderr: str


class World:
    """A broker, and `segue`."""

    def __init__(self, stack: LocalStack) -> None:
        self.bootstrap = stack.bootstrap
        self.kafka = KafkaSettings(bootstrap=stack.bootstrap)
        topics.apply(self.kafka)
        self.producer: KafkaProducer = kafka_clients.producer(self.kafka)

    def bad(self, value: bytes | None, key: bytes | None = b"u1") -> DeadLetter:
        """Send it to `listens`, and the letter that a profiler makes of it."""
        sent = self.producer.send(LISTENS.name, value, key=key).get(30)
        with pytest.raises(Poison) as refused:
            admit(value, key, sent.timestamp)
        letter = DeadLetter.of(refused.value, LISTENS.name, sent.partition, sent.offset, sent.timestamp, "profiler")
        self.put(letter, value, key)
        return letter

    def put(self, letter: DeadLetter, value: bytes | None, key: bytes | None = b"u1") -> None:
        self.producer.send(DEAD.name, value, key=key, headers=letter.headers()).get(30)

    def segue(self, *arguments: str, **environment: str) -> Done:
        """In this process: a new one takes two seconds to start."""
        env = {"COLUMNS": "200", "SEGUE_KAFKA_BOOTSTRAP": self.bootstrap, **environment}
        done = CliRunner(env=env).invoke(app, ["dead", *arguments])
        if isinstance(done.exception, KNOWN):  # as services.cli.__main__.main tells it
            return Done(exit_code(done.exception), done.stdout, str(done.exception))
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return Done(done.exit_code, done.stdout, done.stderr)

    def listing(self, *arguments: str) -> list[dict[str, object]]:
        done = self.segue("list", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        messages: list[dict[str, object]] = json.loads(done.stdout)["messages"]
        return messages

    def read(self, topic: str) -> list[Record]:
        with KafkaLog(self.kafka) as log:
            spans = log.spans(topic).items()
            return [r for p, s in spans for batch in log.read(topic, p, s.first, s.end) for r in batch]

    def at(self, letter: DeadLetter) -> tuple[str, ...]:
        return ("--partition", str(letter.partition), "--offset", str(letter.offset))


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with LocalStack(redis=False) as stack:
        world = World(stack)
        yield world
        world.producer.close()


def test_they_are_counted_chosen_and_shown(world: World) -> None:
    assert "no dead letters" in world.segue("list").stdout
    broken = world.bad(b'{"half', b"\xff\x00")
    early = world.bad(encode(Listen("e1", "u1", "t1", 1_700_000_000)))
    world.put(early, encode(Listen("e1", "u1", "t1", 1_700_000_000)))  # at least once
    world.producer.send(DEAD.name, b"no letter").get(30)
    listed = world.segue("list").stdout
    assert "bad-json" in listed
    assert "is it in milliseconds?" in listed
    assert "no letter" not in listed
    assert [(m["cause"], m["letters"], m["replayed"]) for m in world.listing()] == [
        ("bad-json", 1, None),
        ("too-early", 2, None),
    ]
    assert [m["offset"] for m in world.listing("--cause", "bad-json")] == [broken.offset]
    assert world.listing("--since", "2100-01-01") == []
    assert len(world.listing("--since", "1h", "--partition", str(early.partition))) >= 1
    shown = world.segue("show", str(broken.partition), str(broken.offset)).stdout
    assert "segue.dead.cause: bad-json" in shown
    assert r"'\xff\x00'" in shown
    assert """'{"half'""" in shown
    assert '"track_id": "t1"' in world.segue("show", str(early.partition), str(early.offset)).stdout
    unknown = world.segue("show", "7", "9999")
    assert unknown.returncode == 1
    assert "see `segue dead list`" in unknown.stderr


def test_a_mended_letter_is_sent_once(world: World) -> None:
    letter = world.bad(encode(Listen("e2", "u2", "t2", 1_700_000_000)), b"u2")
    here = world.at(letter)
    done = world.segue("replay", *here, "--yes")
    assert (done.returncode, "still bad: too-early" in done.stdout) == (1, True)
    mend = ("--set", f"listened_at={NOW}")
    before = len(world.read(LISTENS.name))
    done = world.segue("replay", *here, *mend)
    assert done.returncode == 0, done.stderr
    assert "nothing was sent; --yes" in done.stdout
    assert len(world.read(LISTENS.name)) == before
    done = world.segue("replay", *here, *mend, "--yes")
    assert "1 sent" in done.stdout, done.stderr
    sent = world.read(LISTENS.name)
    assert len(sent) == before + 1
    mended = [admit(r.value, r.key, r.time) for r in sent if r.key == b"u2" and b":1700000000}" not in (r.value or b"")]
    assert [(m.event_id, m.track_id, m.listened_at) for m in mended] == [("e2", "t2", NOW)]
    assert "sent already: listens-" in world.segue("replay", *here, *mend, "--yes").stdout
    assert len(world.read(LISTENS.name)) == before + 1
    (message,) = world.listing(*here[:2], "--cause", "too-early")[-1:]
    assert message["replayed"] == f"listens-{letter.partition}@{max(r.offset for r in sent if r.key == b'u2')}"
    world.segue("replay", *here, *mend, "--yes", "--again")
    assert len(world.read(LISTENS.name)) == before + 2
    # The note is one more letter, and says so.
    notes = [r for r in world.read(DEAD.name) if REPLAYED in dict(r.headers)]
    assert {DeadLetter.from_headers(r.headers).offset for r in notes} == {letter.offset}


def test_a_wrong_key_is_put_right_and_goes_to_its_own_partition(world: World) -> None:
    letter = world.bad(encode(Listen("e3", "u3", "t3", NOW)), b"somebody")
    done = world.segue("replay", *world.at(letter), "--yes")
    assert done.returncode == 0, done.stderr
    right = world.producer.send(LISTENS.name, encode(Listen("e4", "u3", "t3", NOW)), key=b"u3").get(30).partition
    assert f"to listens-{right}@" in done.stdout
    with KafkaLog(world.kafka) as log:
        span = log.span(LISTENS.name, right)
        keys = [r.key for batch in log.read(LISTENS.name, right, span.first, span.end) for r in batch]
    assert keys[-2:] == [b"u3", b"u3"]


def test_by_file_and_by_editor(world: World, tmp_path: Path) -> None:
    letter = world.bad(b"not json")
    here = world.at(letter)
    (tmp_path / "mended.json").write_bytes(encode(Listen("e5", "u1", "t5", NOW)) + b"\n")
    assert "still bad: bad-json" in world.segue("replay", *here, "--set", "track_id=t5").stdout
    both = world.segue("replay", *here, "--edit", "--file", str(tmp_path / "mended.json"))
    assert (both.returncode, "one of --set, --file and --edit" in both.stderr) == (2, True)
    many = world.segue("replay", "--file", str(tmp_path / "mended.json"))
    assert (many.returncode, "--file is one message" in many.stderr) == (2, True)
    same = world.segue("replay", "--set", "event_id=one", "--yes")
    assert (same.returncode, "would make all but" in same.stderr) == (2, True)
    done = world.segue("replay", *here, "--file", str(tmp_path / "mended.json"), "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    editor = tmp_path / "editor.py"
    editor.write_text(
        "import pathlib, sys\n"
        "path = pathlib.Path(sys.argv[1])\n"
        "path.write_text(path.read_text().replace('bite', 'play'))\n"
    )
    value = encode(Listen("e6", "u1", "t6", NOW, "play", "a1", 0)).replace(b'"artist"', b'"kind":"bite","artist"')
    letter = world.bad(value)
    done = world.segue("replay", *world.at(letter), "--edit", "--yes", EDITOR=f"{sys.executable} {editor}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert any(b'"kind": "play"' in (record.value or b"") for record in world.read(LISTENS.name))
    done = world.segue("replay", *world.at(letter), "--edit", "--again", EDITOR="/nowhere/vi")
    assert (done.returncode, "did not end well" in done.stderr) == (1, True)


def test_errors_say_what_to_do(world: World) -> None:
    alone = world.segue("replay", "--offset", "3")
    assert (alone.returncode, "give --partition too" in alone.stderr) == (2, True)
    unknown = world.segue("replay", "--set", "colour=blue")
    assert (unknown.returncode, "no such field" in unknown.stderr) == (1, True)
    when = world.segue("list", "--since", "yesterday")
    assert (when.returncode, "neither 30m, 2h, 7d nor a date" in when.stderr) == (2, True)
    away = world.segue("list", SEGUE_KAFKA_BOOTSTRAP="127.0.0.1:1")
    assert (away.returncode, "no broker answers" in away.stderr) == (69, True)
