"""How dead letters look on a terminal and as JSON."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from rich.table import Table
from rich.text import Text

from services.dead.letters import Case, Letter
from services.dead.mending import pretty
from services.dead.replay import Plan

RAW = 2_000  # bytes shown of a raw value, unless all are asked for


def causes(cases: Iterable[Case]) -> Table:
    """One row a cause, the most frequent first."""
    table = Table("cause", "messages", "letters", "replayed", "newest (UTC)", box=None)
    for row in _causes(cases):
        table.add_row(row["cause"], *(f"{row[name]:,}" for name in ("messages", "letters", "replayed")), row["newest"])
    return table


def newest(cases: Sequence[Case], most: int) -> Table:
    """The newest messages, one row each."""
    table = Table("partition", "offset", "appended (UTC)", "cause", "what was wrong", "replayed", box=None)
    for case in sorted(cases, key=lambda case: case.letter.reason.time)[-most:] if most else ():
        reason = case.letter.reason
        told = Text(reason.message)
        table.add_row(
            str(reason.partition), str(reason.offset), _utc(reason.time), reason.cause, told, case.replayed or "-"
        )
    return table


def as_json(cases: Sequence[Case]) -> dict[str, Any]:
    """Causes and messages, without their content."""
    return {
        "causes": _causes(cases),
        "messages": [
            {
                "topic": case.letter.reason.topic,
                "partition": case.letter.reason.partition,
                "offset": case.letter.reason.offset,
                "time": case.letter.reason.time,
                "cause": case.letter.reason.cause,
                "message": case.letter.reason.message,
                "letters": case.letters,
                "replayed": case.replayed or None,
            }
            for case in cases
        ],
    }


def in_full(case: Case, *, whole: bool) -> list[str]:
    """One message with everything that is known of it, as lines."""
    letter = case.letter
    lines = [f"{name}: {value.decode('utf-8', 'backslashreplace')}" for name, value in letter.headers]
    lines += [f"letters about it: {case.letters} (the newest is at offset {letter.at})"]
    lines += [f"replayed: {case.replayed or 'no'}", f"key: {escaped(letter.key, whole=whole)}"]
    formatted = pretty(letter.value)
    if formatted is not None:
        lines += ["value, decoded:", formatted if whole else formatted[:RAW]]
    return [*lines, f"value, {len(letter.value or b''):,} bytes:", escaped(letter.value, whole=whole)]


def escaped(data: bytes | None, *, whole: bool) -> str:
    """Bytes as text that shows each of them: what is no printable ASCII as an escape; null for none."""
    if data is None:
        return "null"
    shown = repr(data if whole else data[:RAW])[1:]
    return shown if whole or len(data) <= RAW else f"{shown} … (--all shows the rest)"


def planned(plan: Plan, most: int = 50) -> Table:
    """What a replay would do, one row a message."""
    table = Table("partition", "offset", "was", "now", box=None)
    rows: list[tuple[Letter, str]] = [(each.letter, "ready to be sent") for each in plan.ready]
    rows += [(letter, f"still bad: {poison.cause}: {poison}") for letter, poison in plan.refused]
    rows += [(case.letter, f"sent already: {case.replayed} (--again sends it once more)") for case in plan.done]
    for letter, now in rows[:most]:
        table.add_row(str(letter.reason.partition), str(letter.reason.offset), letter.reason.cause, Text(now))
    if len(rows) > most:
        table.add_row("…", "", "", f"and {len(rows) - most:,} more")
    return table


def _causes(cases: Iterable[Case]) -> list[dict[str, Any]]:
    messages, letters, replayed = Counter[str](), Counter[str](), Counter[str]()
    last: dict[str, int] = {}
    for case in cases:
        cause = case.letter.reason.cause
        messages[cause] += 1
        letters[cause] += case.letters
        replayed[cause] += bool(case.replayed)
        last[cause] = max(last.get(cause, 0), case.letter.reason.time)
    return [
        {
            "cause": cause,
            "messages": count,
            "letters": letters[cause],
            "replayed": replayed[cause],
            "newest": _utc(last[cause]),
        }
        for cause, count in messages.most_common()
    ]


def _utc(ms: int) -> str:
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return str(ms)
