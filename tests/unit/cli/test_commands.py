"""Every command, found by walking the app: it has help, an example that parses, and refuses what it does not know."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any

import pytest
import typer.main

from services.cli.__main__ import app
from tests.unit.cli.conftest import Segue

Command = Any  # typer has its own copy of click, which no type checker is to know of

EXAMPLE = re.compile(r"`((?:SEGUE_\w+=\S+ )*segue [^`]+)`")
ROOT: Command = typer.main.get_command(app)


def walk(command: Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Command]]:
    """(path, command) of every command and every group below this one."""
    for name, sub in getattr(command, "commands", {}).items():
        yield (*path, name), sub
        yield from walk(sub, (*path, name))


EVERY = dict(walk(ROOT))
COMMANDS = {path: command for path, command in EVERY.items() if not hasattr(command, "commands")}


def ids(path: tuple[str, ...]) -> str:
    return " ".join(path)


def examples(path: tuple[str, ...]) -> list[str]:
    _, _, text = cleandoc(COMMANDS[path].callback.__doc__ or "").partition("Example: ")
    return EXAMPLE.findall(text)


def parse(line: str) -> tuple[str, ...]:
    """The path of the command that this line would run. Raises a usage error on anything it does not know."""
    words = [word for word in shlex.split(line) if not word.startswith("SEGUE_")]
    assert words.pop(0) == "segue"
    command, context = ROOT, None
    path: tuple[str, ...] = ()
    while True:
        context = command.make_context(path[-1] if path else "segue", list(words), parent=context)
        if not hasattr(command, "commands"):
            return path
        name, command, words = command.resolve_command(context, [*context._protected_args, *context.args])
        path = (*path, name)


def test_the_walk_finds_the_commands() -> None:
    assert {("demo",), ("listen",), ("topics", "apply"), ("releases", "rollback")} <= COMMANDS.keys()


@pytest.mark.parametrize("path", [(), *EVERY], ids=ids)
def test_it_has_help(segue: Segue, path: tuple[str, ...]) -> None:
    said = segue(*path, "--help")
    assert said.code == 0
    assert said.out.strip()
    assert not said.err


@pytest.mark.parametrize("path", COMMANDS, ids=ids)
def test_its_help_has_an_example_that_runs_it(segue: Segue, path: tuple[str, ...]) -> None:
    found = examples(path)
    assert any(parse(line) == path for line in found), f"no example of `segue {ids(path)}` in its help"
    shown = " ".join(segue(*path, "--help").out.split())
    assert found[0] in shown


@pytest.mark.parametrize("path", EVERY, ids=ids)
def test_its_help_has_every_bracket(segue: Segue, monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...]) -> None:
    """Rich takes [evaluate] for a style, and prints nothing."""
    monkeypatch.setenv("COLUMNS", "300")
    command = EVERY[path]
    texts = [command.help or "", *(parameter.help or "" for parameter in command.params)]
    written = re.findall(r"\S*\[\S*", " ".join(texts).replace("\\[", "["))
    shown = "".join(segue(*path, "--help").out.split())
    assert [word for word in written if word not in shown] == []


@pytest.mark.parametrize("path", COMMANDS, ids=ids)
def test_every_argument_and_option_says_what_it_is(path: tuple[str, ...]) -> None:
    assert [parameter.name for parameter in COMMANDS[path].params if not parameter.help] == []


@pytest.mark.parametrize("path", [(), *EVERY], ids=ids)
def test_an_unknown_option_is_named(segue: Segue, path: tuple[str, ...]) -> None:
    said = segue(*path, "--no-such-option")
    assert said.code == 2
    assert "No such option: --no-such-option" in said.one_line
    assert f"Try '{' '.join(('segue', *path))} --help'" in said.one_line


@pytest.mark.parametrize("path", [(), *(path for path in EVERY if path not in COMMANDS)], ids=ids)
def test_an_unknown_command_is_named(segue: Segue, path: tuple[str, ...]) -> None:
    said = segue(*path, "no-such-command")
    assert said.code == 2
    assert "No such command 'no-such-command'" in said.one_line


def test_help_loads_nothing_heavy() -> None:
    """It is asked for often, and must come at once."""
    code = (
        "import sys; sys.argv = ['segue', '--help']\n"
        "from services.cli.__main__ import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'polars', 'faiss', 'kafka', 'aiokafka', 'faust', 'torch', 'redis'} & sys.modules.keys()\n"
        "sys.exit(f'loaded: {heavy}' if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
