"""How an audit looks on a terminal. Nobody is named unless the audit was asked to."""

from collections.abc import Iterator

from msgspec import Struct
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from services.audit.result import Audit, Partition

COLUMNS = (
    "events", "dead", "repeats", "behind", "profiles", "equal", "lost", "doubled", "other", "extra", "unreadable",
)  # fmt: skip
RARE = (
    "ahead",
    "gone",
    "unfolded_gone",
    "unauditable",
    "events_lost",
    "events_doubled",
)  # told only where there are any
TROUBLE = ("lost", "doubled", "other", "extra", "unreadable")


def table(found: Audit) -> RenderableType:
    """The whole result."""
    parts: list[RenderableType] = [_partitions(found), Text()]
    parts += [Text(line) for line in _rest(found)]
    if found.examples:
        parts += [Text(), _examples(found)]
    return Group(*parts, Text(), _verdict(found))


def _verdict(found: Audit) -> Text:
    if not found.clean:
        return Text("not what the log says", "red")
    if found.left:
        return Text(f"clean so far, but the profiler had still {found.left:,} offsets to fold after the wait", "red")
    if found.total.behind:
        return Text(f"clean as far as the profiler has come: it is {found.total.behind:,} events behind", "yellow")
    if found.total.unauditable:
        unseen = f"{found.total.unauditable:,} of {found.total.profiles:,} profiles cannot be audited"
        return Text(f"clean as far as the log tells: {unseen}, since retention removed what they began with", "yellow")
    return Text("clean: everything is what the log says", "green")


def _partitions(found: Audit) -> Table:
    shown = Table("partition", "offsets", "cursor", box=None)
    for name in COLUMNS:
        shown.add_column(name, justify="right")
    for each in found.partitions:
        shown.add_row(str(each.partition), f"{each.first:,}-{each.end - 1:,}" if each.end > each.first else "-",
                      f"{each.cursor:,}", *_numbers(each))  # fmt: skip
    shown.add_row("all", "", "", *_numbers(found.total), style="bold")
    return shown


def _numbers(each: Partition) -> Iterator[Text]:
    for name in COLUMNS:
        number = getattr(each, name)
        yield Text(f"{number:,}", "red" if number and name in TROUBLE else "")


def _rest(found: Audit) -> Iterator[str]:
    total = found.total
    rare = {name.replace("_", " "): getattr(total, name) for name in RARE if getattr(total, name)}
    if rare:
        yield "also: " + ", ".join(f"{name} {number:,}" for name, number in rare.items())
    if total.gone:
        begun = [each for each in found.partitions if each.gone]
        yield (
            f"retention removed the first {total.gone:,} offsets of {len(begun)} partitions: {total.unauditable:,} "
            "profiles that may have begun there cannot be audited"
        )
    if found.lists is not None:
        yield "lists: " + (_told(found.lists) if found.lists.release else "no release was announced, so there are none")
    if found.letters is not None:
        yield "dead letters: " + _told(found.letters)
    if found.history is not None:
        yield "history: " + _told(found.history)
    yield f"{total.events:,} events in {found.seconds:.1f} s"


def _told(part: Struct) -> str:
    return ", ".join(
        f"{name} {value:,}" for name in part.__struct_fields__ if isinstance(value := getattr(part, name), int)
    )


def _examples(found: Audit) -> Table:
    shown = Table("trouble", "partition", "offset", "what", box=None)
    named = any(example.user_id for example in found.examples)
    if named:
        shown.add_column("listener")
    for example in found.examples:
        partition = str(example.partition) if example.partition >= 0 else "-"
        offset = str(example.offset) if example.offset >= 0 else "-"
        row = [Text(example.kind), Text(partition), Text(offset), Text(example.says)]
        shown.add_row(*row, *([Text(example.user_id)] if named else []))
    return shown
