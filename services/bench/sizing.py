"""How large an installation must be, from measured figures: `python -m services.bench.sizing` writes docs/scaling.md.

Every figure of the table is one of docs/measured.json, a number of the demand (how many listeners, what they do), or
follows from these by the formula beside it. `--from FOLDER` first makes docs/measured.json of what the benchmarks said
there with --json: profiler, strangers, scorer, outcomes, memory and size.json, with --check (`make bench`).
"""

import argparse
import sys
from math import ceil
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from schemas.codec import encode
from schemas.profile import ProfileChanged

ROOT = Path(__file__).parents[2]
MEASURED, PAGE = ROOT / "docs" / "measured.json", ROOT / "docs" / "scaling.md"
DAY = 86_400
GIB, MB = 2**30, 10**6
NOTHING = "No quiet figures yet: `make bench`, then `make sizes`, fills in the columns for 1 M and 100 M listeners."
BEGIN, END = "<!-- sizing -->", "<!-- /sizing -->"


class Measured(Struct, frozen=True, forbid_unknown_fields=True):
    """What `segue bench` said, of one process or one listener. `about`: when, where, by which commands."""

    about: str
    profiler_listens_per_second: float  # live, faust, of so many listeners that hardly one is at hand
    bulk_listens_per_second: float  # the same
    scorer_lists_per_second: float  # 100,000 tracks
    outcomes_listens_per_second: float  # judged, a list read for each
    broker_bytes_per_second: float  # out of one broker into one plain loop
    redis_bytes: float  # a listener of 200 plays
    profile_bytes: float  # of these, what is read and written with each listen
    event_bytes: float
    notice_bytes: float
    list_bytes: float
    profiler_mib: float
    scorer_mib: float
    outcomes_mib: float
    trainer_bytes: float  # of memory at its peak, a listen that is learned from


class Demand(Struct, frozen=True):
    """Who listens, and what is kept ready for them; chosen, not measured."""

    listeners: int
    plays_a_day: float = 10.0  # a listener, over all of them
    peak: float = 3.0  # of the day's mean
    used: float = 0.6  # of what was measured: the rest is for catching up and for one process less
    replicas: int = 3  # copies of a message
    log_days: int = 365  # of listens on the topic, which are kept for ever unless an operator says otherwise
    learn_gib: float = 64.0  # of memory of the machine that trains
    shard_gib: float = 25.0  # of data in one Redis
    redis_over: float = 1.5  # memory beside the data: a rewrite of its file, fragments
    share: int = 2  # partitions for each process there is


class Line(Struct, frozen=True):
    """One line of the table."""

    name: str
    formula: str
    figure: float
    unit: str = ""


def sizing(it: Measured, of: Demand) -> list[Line]:
    """Every figure of an installation, each from those before it."""
    peak = of.listeners * of.plays_a_day / DAY * of.peak
    profilers = ceil(peak / (it.profiler_listens_per_second * of.used))
    scorers = ceil(peak / (it.scorer_lists_per_second * of.used))
    outcomes = ceil(peak / (it.outcomes_listens_per_second * of.used))
    partitions = max(8, 2 ** ceil(max(profilers, scorers, outcomes) * of.share - 1).bit_length())
    data = of.listeners * it.redis_bytes / GIB
    shards = ceil(data / of.shard_gib)
    written = peak * (it.event_bytes + it.notice_bytes + it.list_bytes)
    brokers = max(of.replicas, ceil(2 * of.replicas * written / (it.broker_bytes_per_second * of.used)))
    log = of.listeners * of.plays_a_day * of.log_days * it.event_bytes * of.replicas / GIB
    lists = of.listeners * it.list_bytes * of.replicas / GIB
    learned = of.learn_gib * GIB / it.trainer_bytes
    rebuild = of.listeners * 200 / (it.bulk_listens_per_second * profilers)
    return [
        Line("listens at peak", "listeners × plays a day / 86,400 s × peak", peak, "/s"),
        Line("profilers", "listens at peak / (listens/s of one × used)", profilers),
        Line("scorers", "listens at peak / (lists/s of one × used)", scorers),
        Line("outcomes", "listens at peak / (listens/s of one × used), where live evaluation runs", outcomes),
        Line("partitions", "a power of two, at least 8 and share × the most processes of one kind", partitions),
        Line("Redis: data", "listeners × bytes of one of 200 plays", data, "GiB"),
        Line("Redis: shards", "data / GiB of a shard", shards),
        Line("Redis: memory", "data × over", data * of.redis_over, "GiB"),
        Line("Redis: read and written", "listens at peak × profile × 3 (read twice, written once)",
             peak * it.profile_bytes * 3 / MB, "MB/s"),
        Line("Kafka: written", "listens at peak × (event + notice + list)", written / MB, "MB/s"),
        Line("Kafka: brokers", "written × replicas × 2 (in and out) / (bytes/s of one × used), at least replicas",
             brokers),
        Line("Kafka: log of listens", "listeners × plays a day × days kept × event × replicas", log, "GiB"),
        Line("Kafka: lists", "listeners × list × replicas (compacted: the newest of each)", lists, "GiB"),
        Line("memory of services", "profilers × RSS + scorers × RSS + outcomes × RSS, their caches still nearly empty",
             (profilers * it.profiler_mib + scorers * it.scorer_mib + outcomes * it.outcomes_mib) / 1024, "GiB"),
        Line("trainer: days learned from", "memory of its machine / bytes a listen / (listeners × plays a day); "
             "SEGUE_TRAINER_LEARN_DAYS", learned / (of.listeners * of.plays_a_day), "days"),
        Line("an emptied Redis rebuilt", "listeners × 200 plays / (bulk listens/s × profilers)", rebuild / 60, "min"),
    ]  # fmt: skip


def table(it: Measured, demands: dict[str, Demand]) -> str:
    """The table of sizes, then what it was made from, as Markdown."""
    columns = [sizing(it, demand) for demand in demands.values()]
    rows = [f"| | {' | '.join(demands)} | how |", "|---|" + "---:|" * len(demands) + "---|"]
    for lines in zip(*columns, strict=True):
        figures = " | ".join(f"{_shown(line.figure)} {line.unit}".strip() for line in lines)
        rows.append(f"| {lines[0].name} | {figures} | {lines[0].formula} |")
    figures_of = msgspec.to_builtins(it)
    rows += ["", f"Measured ({figures_of.pop('about')}):", "", "| figure | |", "|---|---:|"]
    rows += [f"| {name.replace('_', ' ')} | {_shown(figure)} |" for name, figure in figures_of.items()]
    chosen = dict(msgspec.to_builtins(next(iter(demands.values()))))
    del chosen["listeners"]
    rows += ["", "Chosen, not measured:", "", "| what | |", "|---|---:|"]
    return "\n".join([*rows, *(f"| {name.replace('_', ' ')} | {_shown(value)} |" for name, value in chosen.items())])


def _shown(figure: float) -> str:
    return f"{figure:,.0f}" if figure >= 100 or figure == int(figure) else f"{figure:,.3g}"


def formulas() -> str:
    """The table without figures, for as long as there are none."""
    anything = Measured("", *[1.0] * (len(Measured.__struct_fields__) - 1))
    rows = [f"| {line.name} | {line.formula} |" for line in sizing(anything, Demand(1))]
    return "\n".join([NOTHING, "", "| | how |", "|---|---|", *rows])


def page(text: str, it: Measured | None) -> str:
    """The page with its table made anew; None: nothing was measured yet."""
    demands = {"1 M listeners": Demand(1_000_000), "100 M listeners": Demand(100_000_000)}
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{formulas() if it is None else table(it, demands)}\n{END}{after}"


def measured(folder: Path, about: str) -> Measured:
    """What the benchmarks said there. Raises OSError, KeyError, msgspec.MsgspecError."""
    names = "profiler", "strangers", "scorer", "outcomes", "memory", "size"
    profiler, strangers, scorer, outcomes, memory, size = (_said(folder / f"{name}.json") for name in names)
    listener, lists, resident = memory["redis"]["200"], scorer["100000"], memory["rss_mib"]
    event = listener["events"] / listener["plays"]
    now = 1_735_704_000_000
    return Measured(
        about,
        strangers["faust"]["listens_per_second"], strangers["bulk"]["listens_per_second"], lists["lists_per_second"],
        outcomes["outcomes"]["listens_per_second"],
        round(profiler["bare_aiokafka"]["listens_per_second"] * event), listener["used"],
        listener["head"] + listener["past"], round(event, 1),
        len(encode(ProfileChanged("listener-100000", 7, 1_000_000, now, now))), lists["list_bytes"],
        resident["profiler"], resident["scorer"], resident["outcomes"],
        round(size["peak_mb"] * MB / size["listens"], 1),
    )  # fmt: skip


def known() -> Measured | None:
    """What docs/measured.json says; None: there is none."""
    return msgspec.json.decode(MEASURED.read_bytes(), type=Measured) if MEASURED.exists() else None


def _said(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = msgspec.json.decode(path.read_bytes())
    return found


def main() -> None:
    """Write the page; say where it is."""
    parser = argparse.ArgumentParser(prog="python -m services.bench.sizing")
    parser.add_argument("--from", dest="folder", type=Path, help="what the benchmarks said, as JSON files")
    parser.add_argument("--about", default="", help="when and where they ran; with --from")
    options = parser.parse_args()
    if options.folder is not None:
        found = measured(options.folder, options.about)
        MEASURED.write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=2) + b"\n")
    it = known()
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), it), encoding="utf-8")
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is written anew\n")


if __name__ == "__main__":
    main()
