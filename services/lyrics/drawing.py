"""What was learned of words, as tables and as pictures (SVG)."""

import io
from typing import TYPE_CHECKING

import numpy as np
from rich.table import Table

from services.lyrics.recording import ORIGINAL, Record
from services.runtime.errors import Fatal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from models.lyrics.judge import Comparison
    from models.lyrics.songs import Songs


def table(made: Record) -> Table:
    """One row a contestant and size."""
    title = f"{made.cores} cores, load {made.load_before:g} before; to recall@1 {made.options.recall:g}"
    shown = Table(title=title, title_justify="left", box=None)
    for heading in (
        "songs",
        "of them real",
        "",
        "seconds",
        "CPU s",
        "epochs",
        "recall@1",
        "line recall@10",
        "faster",
        "CPU",
    ):
        shown.add_column(heading, justify="left" if not heading else "right")
    for row in made.rows:
        faster, less = ("" if n is None else f"{n:.1f} ×" for n in (row.times_faster, row.times_less_cpu))
        shown.add_row(
            f"{row.songs:,}", f"{row.real_songs:,}", row.contestant, f"{row.seconds:.1f}", f"{row.cpu_seconds:.1f}",
            str(row.epochs), f"{row.recall:.3f}" + ("" if row.reached else " (not reached)"),
            f"{row.line_recall:.3f}", faster, less,
        )  # fmt: skip
    return shown


def confusion(found: "Comparison") -> str:
    """Who was taken for what, each classifier a panel: shares of a row, as SVG. Raises Fatal: no matplotlib."""
    canvas = _canvas(3.4 * len(found.contenders), 3.8)
    for axis, each in zip(canvas.subplots(1, len(found.contenders), squeeze=False)[0], found.contenders, strict=True):
        table = np.array(each.confusion, dtype=float)
        axis.imshow(table / np.maximum(table.sum(axis=1, keepdims=True), 1), cmap="Blues", vmin=0, vmax=1)
        axis.set_title(f"{each.name}: macro F1 {each.macro_f1:.3f}", fontsize=9)
        axis.set_xticks(range(len(found.topics)), found.topics, rotation=90, fontsize=7)
        axis.set_yticks(range(len(found.topics)), found.topics, fontsize=7)
    return _svg(canvas)


def map_of(part: "Songs") -> str:
    """The songs on the two directions along which their vectors differ most, coloured by cluster, as SVG."""
    canvas = _canvas(7, 6)
    there = np.any(part.vectors != 0, axis=1)
    centred = part.vectors[there] - part.vectors[there].mean(axis=0)
    flat = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
    axis = canvas.subplots()
    axis.scatter(flat[:, 0], flat[:, 1], c=part.clusters[there], s=4, cmap="tab20", alpha=0.6)
    axis.set(xticks=[], yticks=[], title=f"{int(there.sum()):,} songs, {len(part.centres)} clusters")
    return _svg(canvas)


def growth(made: Record) -> str:
    """Seconds and CPU seconds by songs, the original's beside, as SVG. Raises Fatal: no matplotlib."""
    canvas = _canvas(11, 4.2)
    by_clock, by_cores = canvas.subplots(1, 2, sharey=True)
    for name in dict.fromkeys(row.contestant for row in made.rows):
        rows = sorted((row for row in made.rows if row.contestant == name and row.reached), key=lambda row: row.songs)
        songs = [row.songs for row in rows]
        by_clock.plot(songs, [row.seconds for row in rows], "o-", label=name)
        by_cores.plot(songs, [row.cpu_seconds for row in rows], "o-", label=name)
    sizes = sorted(ORIGINAL)
    for at, name in enumerate(("original, PyTorch", "original, TensorFlow")):
        by_clock.plot(sizes, [ORIGINAL[size][at] for size in sizes], "x--", label=name, alpha=0.4)
    for axis, what in ((by_clock, "seconds"), (by_cores, "CPU seconds")):
        axis.set(xscale="log", yscale="log", xlabel="songs", ylabel=f"{what} to recall@1 {made.options.recall:g}")
        axis.grid(alpha=0.25, which="both")
        axis.legend(fontsize=8)
    return _svg(canvas)


def _canvas(width: float, height: float) -> "Figure":
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError as error:
        raise Fatal("a picture needs matplotlib: pip install 'segue[evaluate]'") from error
    return Figure(figsize=(width, height), layout="constrained")


def _svg(canvas: "Figure") -> str:
    from matplotlib import rc_context

    text = io.StringIO()
    with rc_context({"svg.hashsalt": "segue", "svg.fonttype": "none"}):
        canvas.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
