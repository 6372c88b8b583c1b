"""What was learned of words, as tables and as pictures (SVG)."""

import io
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
from rich.table import Table

from services.lyrics.recording import ORIGINAL, Record
from services.runtime.errors import Fatal

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from models.lyrics.judge import Comparison
    from models.lyrics.songs import Songs

MAPPED = 3  # songs that a map needs


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
            "–" if row.line_recall is None else f"{row.line_recall:.3f}", faster, less,
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


def map_of(part: "Songs", metrics: Mapping[str, float]) -> str:
    """The songs on the two directions along which their vectors differ most: by group, and by sentiment, as SVG.

    `metrics`: those of `lyrics` in the manifest. Songs without a vector (another language) are not drawn. Raises Fatal:
    there are too few, or no matplotlib.
    """
    there = np.any(part.vectors != 0, axis=1)
    if there.sum() < MAPPED:
        raise Fatal(f"{int(there.sum())} songs have a vector; a map needs {MAPPED}")
    centred = part.vectors[there] - part.vectors[there].mean(axis=0)
    values, directions = np.linalg.eigh(centred.T @ centred)  # rising
    flat = centred @ directions[:, ::-1][:, :2]
    shown = values[::-1][:2].sum() / values.sum()
    canvas = _canvas(13, 6)
    by_group, by_feeling = canvas.subplots(1, 2)
    look: dict[str, Any] = {"s": 4, "alpha": 0.6, "rasterized": True}  # thousands of points make a huge SVG
    by_group.scatter(flat[:, 0], flat[:, 1], c=part.clusters[there], cmap="tab20", **look)
    drawn = by_feeling.scatter(
        flat[:, 0], flat[:, 1], c=part.sentiment[there], cmap="coolwarm_r", vmin=-1, vmax=1, **look
    )
    canvas.colorbar(drawn, ax=by_feeling, label="sentiment, −1 to 1")
    k_means, tree = (metrics.get(name, float("nan")) for name in ("silhouette", "tree_silhouette"))
    by_group.set_title(
        f"{len(part.centres)} groups; silhouette {k_means:.3f} (k-means), {tree:.3f} (tree)", fontsize=10
    )
    by_feeling.set_title(f"{int(there.sum()):,} songs; {shown:.0%} of how their vectors differ", fontsize=10)
    for axis in (by_group, by_feeling):
        axis.set(xticks=[], yticks=[])
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


def prove_drawn() -> None:
    """Raise Fatal where no picture can be drawn: to be called before the work whose picture it is."""
    if find_spec("matplotlib") is None:
        raise Fatal("a picture needs matplotlib: pip install 'segue[evaluate]'")


def _canvas(width: float, height: float) -> "Figure":
    prove_drawn()
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _svg(canvas: "Figure") -> str:
    from matplotlib import rc_context

    text = io.StringIO()
    with rc_context({"svg.hashsalt": "segue", "svg.fonttype": "none"}):
        canvas.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()
