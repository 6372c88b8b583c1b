"""A run of faults as people read it."""

from rich.console import Console
from rich.table import Table

from services.faults.result import Result


def show(console: Console, result: Result) -> None:
    """The table, the processes, the verdict."""
    table = Table(title=f"{result.injected} faults, seed {result.seed}", title_justify="left")
    for name in ("fault", "times", "sent", "lost", "doubled", "stale", "dead", "behind", "recovery"):
        table.add_column(name, justify="left" if name == "fault" else "right", no_wrap=True)
    for row in result.faults:
        took = "not in time" if row.late else f"{row.recover_s:.1f} s"
        numbers = (row.injected, row.sent, row.lost, row.doubled, row.stale, row.dead)
        table.add_row(row.fault, *(f"{number:,}" for number in numbers), f"{row.stale_s:.1f} s", took)
    console.print(table)
    memory = Table(title="processes", title_justify="left")
    for name in ("process", "restarts", "longest life", "memory", "at most", "grows by", "files", "threads", "tasks"):
        memory.add_column(name, justify="left" if name == "process" else "right", no_wrap=True)
    for each in result.processes:
        memory.add_row(
            each.name, str(each.restarts), f"{each.minutes:.1f} min", f"{each.rss_mb:.0f} MB",
            f"{each.most_mb:.0f} MB", f"{each.slope_mb_per_min:+.2f} MB/min", f"{each.files} ({each.files_more:+d})",
            f"{each.threads} ({each.threads_more:+d})", f"{each.tasks} ({each.tasks_more:+d})" if each.tasks else "-",
        )  # fmt: skip
    console.print(memory)
    for line in result.audit_says:
        console.print(f"audit: {line}", markup=False, highlight=False)
    verdict = "clean" if result.clean else "NOT clean"
    console.print(
        f"{verdict}: {result.sent:,} events sent ({result.retries:,} sends repeated), {result.lost} lost, "
        f"{result.doubled} doubled, {result.stale} listeners stale, {result.dead:,} dead letters, "
        f"{result.undelivered} bad messages without one, "
        f"{result.unfound} acknowledged and not in the log, {result.gone:,} taken by retention unfolded, "
        f"{result.history_wrong} offsets wrong in the trainer's history; segue audit compared {result.audited} "
        f"profiles and found {'nothing' if result.audit_clean else 'differences'}; "
        f"{result.crashed} crashes that were not asked for; "
        f"all ended {result.stop_s:.1f} s after SIGTERM; {result.seconds:.0f} s in all",
        highlight=False,
    )
