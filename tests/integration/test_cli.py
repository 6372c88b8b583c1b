"""The command line on a real broker, a real Redis and running services: what each command promises, it does."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from schemas.topics import TOPICS
from services.cli.__main__ import app
from services.cli.errors import KNOWN
from services.demo.processes import Service
from services.local.stack import LocalStack

SONGS = 24  # each of two camps plays its own half


def write_data(folder: Path) -> None:
    """Ten listeners of two camps, thirty plays each of eight of the camp's twelve songs, and the titles of all."""
    plays = ["user_id,listened_at,track_id,artist,track,ms_played"]
    for turn in range(30):
        for user in range(10):
            song = 2 * ((turn % 8 + 3 * user) % (SONGS // 2)) + user % 2
            moment = 1_700_000_000 + 3600 * turn + 60 * user
            plays.append(f"user-{user},{moment},t{song},Band {song % 8},Song {song},200000")
    (folder / "plays.csv").write_text("\n".join(plays) + "\n")
    tracks = [f"t{song},Song {song},Band {song % 8}" for song in range(SONGS)]
    (folder / "tracks.csv").write_text("\n".join(["track_id,title,artist", *tracks]) + "\n")


class World:
    """One stack, one folder, and `segue` in this process with the settings that lead there."""

    def __init__(self, stack: LocalStack, folder: Path) -> None:
        self.folder = folder
        self.env: dict[str, str | None] = {name: None for name in os.environ if name.startswith("SEGUE_")}
        self.env |= {
            "SEGUE_KAFKA_BOOTSTRAP": stack.bootstrap, "SEGUE_TRAINER_RELEASES": str(folder / "releases"),
            "SEGUE_STATE": str(folder / "state"), "SEGUE_ALS_FACTORS": "8", "SEGUE_TRAINER_THREADS": "1",
            "SEGUE_LIST_JUST_PLAYED": "2", "COLUMNS": "160",
        }  # fmt: skip

    def segue(self, *arguments: str, **env: str | None) -> Result:
        return CliRunner().invoke(app, arguments, env={**self.env, **env})

    def ok(self, *arguments: str, **env: str | None) -> str:
        """Standard output of a command that must work."""
        said = self.segue(*arguments, **env)
        assert said.exit_code == 0, f"{arguments}: {said.output} {said.exception!r}"
        return said.stdout

    def refused(self, *arguments: str) -> str:
        """What a command says that cannot work (main() prints it; tests/unit/cli/test_troubles.py)."""
        said = self.segue(*arguments)
        assert isinstance(said.exception, KNOWN), f"{arguments}: {said.output} {said.exception!r}"
        return str(said.exception)

    def in_force(self) -> str:
        """The release that `segue releases list` says is in force."""
        found = [line.split()[0] for line in self.ok("releases", "list").splitlines() if "in force" in line]
        assert len(found) == 1
        return found[0]

    def watch(self, user: str, *more: str) -> "subprocess.Popen[str]":
        env = {name: value for name, value in {**os.environ, **self.env}.items() if value is not None}
        command = [sys.executable, "-u", "-m", "services.cli", "watch", user, *more]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[World]:
    """A broker on which nothing was ever done."""
    with LocalStack(redis=False) as stack:
        yield World(stack, tmp_path)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Profiler and scorer at work, two releases, the first in force, a history imported: all by `segue`."""
    folder = tmp_path_factory.mktemp("cli")
    write_data(folder)
    with LocalStack() as stack:
        made = World(stack, folder)
        made.env["SEGUE_REDIS_URL"] = stack.redis_url
        made.ok("topics", "apply")
        files = ("--listens", str(folder / "plays.csv"), "--tracks", str(folder / "tracks.csv"))
        for name in ("first", "second"):
            made.ok("train", *files, "--out", str(folder / "releases" / name))
        made.ok("releases", "promote", "first")
        settings = {name: value for name, value in made.env.items() if value is not None}
        services = [
            Service(name, folder, {**settings, "SEGUE_PROFILER_LOOP": "bulk"}) for name in ("profiler", "scorer")
        ]
        try:
            for service in services:
                asyncio.run(service.ready())
            made.ok("import", "csv", str(folder / "plays.csv"), "--tracks", str(folder / "tracks.csv"))
            made.ok("listen", "user-0", "t0", "--artist", "Band 0")  # once its list is there, all profiles are
            yield made
        finally:
            for service in services:
                service.ask_to_stop()
            for service in services:
                service.stop(3)


@pytest.fixture
def first(world: World) -> World:
    """The first release is in force, whatever a test before did."""
    if world.in_force() != "first":
        world.ok("releases", "promote", "first")
    return world


def told(line: str) -> list[str]:
    return line.split()


def items(out: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(out)["items"]
    return found


# --- topics


def test_a_broker_without_topics_is_told_what_to_do_and_then_has_them(bare: World) -> None:
    commands = ("listen ann t1", "watch ann --for 1s", "recommend ann", "releases list", "releases rollback")
    began = time.monotonic()
    for command in commands:
        assert "create the topics with `segue topics apply`" in bare.refused(*command.split())
    assert time.monotonic() - began < 15
    assert "`segue topics apply` has to create listens" in bare.segue("check").stdout
    todo = [told(line)[:2] for line in bare.ok("topics", "plan").splitlines()[1:]]
    assert todo == [[topic.name, "create"] for topic in TOPICS]
    assert [told(line)[1] for line in bare.ok("topics", "plan").splitlines()[1:]] == ["create"] * len(TOPICS)
    equal = [part for name in ("listens", "profiles", "recommendations") for part in ("--partitions", f"{name}=3")]
    bare.ok("topics", "apply", *equal)
    done = {told(line)[0]: told(line)[1:3] for line in bare.ok("topics", "plan", *equal).splitlines()[1:]}
    assert done == {t.name: ["keep", "3" if f"{t.name}=3" in equal else str(t.partitions)] for t in TOPICS}
    assert "listens has 3 partitions, 8 are wanted" in bare.refused("topics", "apply")
    assert "ok      topics" in bare.segue("check").stdout  # three were asked for, so three are right
    assert "no release was announced yet" in bare.refused("releases", "rollback")


# --- lists


def test_listen_shows_the_list_it_leads_to(first: World) -> None:
    out = first.ok("listen", "user-3", "t5", "--artist", "Band 5", "-n", "5")
    assert "acknowledged: user-3 on listens-" in out
    assert "its list came after" in out
    rows = [told(line) for line in out.splitlines() if told(line)[:1] and told(line)[0].isdecimal()]
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5"]
    assert {row[1] for row in rows} == {"Song"}  # by its title, not its id
    listed = next(line for line in out.splitlines() if line.startswith("user-3: list "))
    assert listed.split()[-1] == json.loads(first.ok("recommend", "user-3", "--json"))["list_id"]


def test_a_listen_that_nobody_waits_for(first: World) -> None:
    out = first.ok("listen", "user-3", "t5", "--no-wait")
    assert "acknowledged" in out
    assert "list" not in out.replace("listens", "")


def test_a_stranger_becomes_a_listener(first: World) -> None:
    said = first.segue("recommend", "newcomer", "--json")
    assert "popular" in {item["source"] for item in items(said.stdout)}
    assert "is a stranger" in first.segue("recommend", "newcomer").output
    first.ok("listen", "newcomer", "t4", "--artist", "Band 4", "--kind", "love")
    after = first.segue("recommend", "newcomer")
    assert "is a stranger" not in after.output
    assert "als" in {item["source"] for item in items(first.ok("recommend", "newcomer", "--json"))}


def test_what_is_banned_is_not_recommended_again(first: World) -> None:
    top = items(first.ok("recommend", "user-2", "--json"))[0]["track_id"]
    first.ok("listen", "user-2", top, "--kind", "ban")
    assert top not in [item["track_id"] for item in items(first.ok("recommend", "user-2", "--json", "-n", "100"))]
    first.ok("listen", "user-2", top, "--kind", "unban")


def test_watch_shows_the_list_that_stands_and_each_new_one(first: World) -> None:
    first.ok("listen", "user-4", "t2", "--artist", "Band 2")
    with first.watch("user-4", "-n", "3") as watching:
        assert watching.stdout
        assert watching.stderr
        try:
            before = next(line for line in watching.stdout if line.startswith("user-4: list "))
            out = first.ok("listen", "user-4", "t8", "--artist", "Band 0")
            offset = next(told(line)[-1] for line in out.splitlines() if line.startswith("acknowledged"))
            news = next(line for line in watching.stdout if line.startswith("new list, "))
            after = next(line for line in watching.stdout if line.startswith("user-4: list "))
            watching.send_signal(signal.SIGINT)
            assert watching.wait(10) == 130
            assert "Traceback" not in watching.stderr.read()
        finally:
            watching.kill()
    assert before != after
    assert f"-{offset}-first" in after  # a list's id tells the listen it was made after
    assert news.rstrip().endswith("ms after its listen:")


def test_watch_ends_after_its_time(first: World) -> None:
    assert "no list for nobody yet" in first.ok("watch", "nobody", "--for", "1s")


# --- releases


def test_recommend_from_a_folder_needs_no_broker(world: World) -> None:
    folder, away = str(world.folder / "releases" / "second"), {"SEGUE_KAFKA_BOOTSTRAP": "127.0.0.1:1"}
    said = world.segue("recommend", "user-1", "--release", folder, "--json", **away)
    own = {f"t{song}" for song in range(1, SONGS, 2)}  # user-1 is of the odd camp
    history = [item["track_id"] for item in items(said.stdout) if item["source"] == "history"]
    assert history
    assert set(history) <= own
    stranger = world.segue("recommend", "nobody", "--release", folder, "--json", **away)
    assert {item["source"] for item in items(stranger.stdout)} == {"popular"}


def test_releases_are_listed_and_shown(first: World) -> None:
    rows = {told(line)[0]: line for line in first.ok("releases", "list").splitlines()[1:]}
    assert rows.keys() == {"first", "second"}
    assert "in force" in rows["first"]
    assert "in force" not in rows["second"]
    assert "in force" not in first.ok("releases", "list", "--offline")
    shown = first.ok("releases", "show", "second")
    assert "whole, every hash as published" in shown
    assert {"als.faiss", "als_factors.npy", "als_gram.npy", "catalogue.parquet"} <= set(shown.split())


def test_promoted_and_rolled_back(first: World) -> None:
    assert "second is in force instead of first" in first.ok("releases", "promote", "second")
    assert first.in_force() == "second"
    assert json.loads(first.ok("recommend", "user-1", "--json"))["release_id"] == "second"
    assert "first is in force instead of second" in first.ok("releases", "rollback")
    assert first.in_force() == "first"
    assert "third: no such folder" in first.refused("releases", "promote", "third")
    assert first.in_force() == "first"


def test_who_rolls_back_twice_does_not_return(first: World) -> None:
    first.ok("releases", "promote", "second")
    # Nothing says where releases are: they are where they were announced from.
    assert "first is in force instead of second" in first.ok("releases", "rollback", SEGUE_TRAINER_RELEASES=None)
    assert "before first: promote one by its id" in first.refused("releases", "rollback")
    assert first.in_force() == "first"
    first.ok("releases", "promote", "second")
    assert "first is in force\n" not in first.ok("releases", "promote", "first")
    assert "first is in force\n" in first.ok("releases", "promote", "first")  # again: what it replaced stays known
    assert "second is in force instead of first" in first.ok("releases", "rollback")
    assert "first is in force instead of second" in first.ok("releases", "rollback")
    assert "promote one by its id" in first.refused("releases", "rollback")


def test_an_altered_release_is_not_put_in_force(first: World) -> None:
    catalogue = first.folder / "releases" / "second" / "catalogue.parquet"
    whole = catalogue.read_bytes()
    try:
        catalogue.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
        assert "catalogue.parquet: not the file that was published" in first.refused("releases", "promote", "second")
        assert first.in_force() == "first"
    finally:
        catalogue.write_bytes(whole)


# --- check


def test_check_finds_all_well(first: World) -> None:
    out = first.ok("check")
    assert "amiss" not in out
    looked_at = {"embedded Java", "embedded Redis", "settings", "broker", "Redis", "topics", "release"}
    assert {line[8:28].strip() for line in out.splitlines()} >= looked_at
    assert "first is in force and whole" in out


def test_check_says_what_is_amiss(first: World) -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"redis://:hush@127.0.0.1:{held.getsockname()[1]}/0"
        said = first.segue("check", SEGUE_REDIS_URL=url)
    assert said.exit_code == 1
    amiss = [line for line in said.stdout.splitlines() if line.startswith("amiss")]
    assert len(amiss) == 1
    assert "start one with `segue up` or set SEGUE_REDIS_URL" in amiss[0]
    assert "hush" not in said.output
