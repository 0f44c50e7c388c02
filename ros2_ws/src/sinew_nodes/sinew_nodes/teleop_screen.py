"""The status screen of teleoperation: one picture, made for 80 by 24 characters, of what there is to see."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import RenderableType
from rich.layout import Layout
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from sinew_nodes.teleop_situation import Situation

COLOURS = {"human": "bold white on green", "policy": "bold white on blue", "hold": "bold black on yellow"}
BORDERS = {"human": "green", "stopped": "bold red"}
STOPPED = "bold white on red"
SILENT = 1.0  # s without joints until that is told
RECENT = 6.0  # s that an answer is shown
BAR = 12  # characters
KEYS_WIDTH = 36


@dataclass(frozen=True, slots=True)
class Run:
    """What the session adds: which episodes are run, and where they are kept."""

    title: str = ""  # hardware, task, source
    index: int = 0  # of the present episode, from 0
    episodes: int = 0  # wanted in all; 0: not known
    step: int = 0
    max_steps: int = 0
    period: float = 0.05  # s
    dataset: str = ""  # where episodes are recorded, '' for nowhere
    phase: str = ""  # what the session waits for


def render(seen: Situation, run: Run, *, helping: bool = True) -> RenderableType:
    """Return the screen; `helping` shows what the keys do."""
    facts = Panel(
        _facts(seen, run),
        title="[bold]sinew teleop[/]",
        title_align="left",
        subtitle=run.title,
        subtitle_align="left",
        border_style=BORDERS.get(seen.owner, ""),
    )
    body = Layout()
    body.split_row(
        Layout(facts),
        Layout(Panel(_keys(seen.help), title="keys", title_align="left"), size=KEYS_WIDTH, visible=helping),
    )
    whole = Layout()
    whole.split_column(Layout(body), Layout(_banner(seen, run), size=4))
    return whole


def _facts(seen: Situation, run: Run) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="dim", width=7)
    table.add_column(overflow="fold")
    table.add_row("owner", _owner(seen))
    table.add_row()
    table.add_row("episode", _episode(seen, run))
    table.add_row("last", Text(seen.last or "-", style=_outcome_style(seen.last)))
    table.add_row()
    table.add_row("tip", _tip(seen))
    table.add_row("gripper", _gripper(seen.aperture) if seen.tip is not None else Text("-"))
    table.add_row()
    table.add_row("device", Text(seen.status or "-"))
    limits = ", ".join(limit for limit in seen.limits if not limit.startswith("stopped"))
    table.add_row("limits", Text(limits or "-", style="yellow" if limits else ""))
    table.add_row("record", _record(seen, run))
    return table


def _owner(seen: Situation) -> Text:
    if not seen.owner:
        return Text("not known yet", style="dim")
    badge = (f" {seen.owner.upper()} ", COLOURS.get(seen.owner, STOPPED))
    took = f"  {1000 * seen.took:.0f} ms" if seen.took else ""
    return Text.assemble(badge, (took, "dim"), f"\n{seen.reason}")


def _episode(seen: Situation, run: Run) -> Text:
    of = f" of {run.episodes}" if run.episodes else ""
    head = Text.assemble((f"{run.index + 1}{of}", "bold"))
    if not seen.episode:
        return head.append("  not running", style="dim")
    head.append(f"  {run.step * run.period:.1f} s")
    if run.max_steps:
        head.append(f" of {run.max_steps * run.period:.0f} s", style="dim")
    return head.append(f"\n{seen.instruction or '-'}", style="italic")


def _tip(seen: Situation) -> Text:
    if seen.tip is None:
        return Text("-")
    x, y, z = (f"{value:+.3f}" for value in seen.tip)
    return Text(f"x {x}  y {y}  z {z} m\n{seen.tip_speed:.2f} m/s")


def _gripper(aperture: float) -> Text:
    share = min(1.0, max(0.0, aperture))
    filled = round(share * BAR)
    return Text(f"{'█' * filled}{'░' * (BAR - filled)} {100 * share:.0f} % open")


def _record(seen: Situation, run: Run) -> Text:
    if not run.dataset and not seen.recorder:
        return Text("off", style="dim")
    state = seen.recorder or "starting"
    dot = ("● ", "red") if seen.recorder and seen.episode else ("○ ", "")
    words = f"{run.dataset or 'dataset'}: {state}"
    return Text.assemble(dot, (words, "" if seen.recorder_well else "bold red"))


def _keys(help_text: str) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    table.add_column(style="bold cyan", no_wrap=True)
    table.add_column(no_wrap=True, overflow="ellipsis")
    for line in help_text.splitlines():
        keys, _, meaning = line.partition("  ")
        table.add_row(keys, meaning)
    return table


def _banner(seen: Situation, run: Run) -> RenderableType:
    """Return the bottom lines: the most urgent thing there is to say, and the last answer."""
    lines = Table.grid()
    lines.add_column(no_wrap=True, overflow="ellipsis")
    lines.add_row(_urgent(seen, run))
    lines.add_row(_answer(seen))
    return Panel(lines)


def _urgent(seen: Situation, run: Run) -> Text:
    if seen.silence > SILENT:
        return Text(f"no joints for {seen.silence:.0f} s: is the station alive?", style="bold red")
    if seen.owner == "stopped" and seen.causes:
        return Text(f" STOPPED: {seen.reason}. c clears, then v arms. ", style=STOPPED)
    if seen.owner == "stopped":
        return Text(" STOPPED, the causes are cleared: v arms. ", style=STOPPED)
    if seen.holds:
        return Text(f"held: {'; '.join(seen.holds)}", style="bold yellow")
    return Text(run.phase or "ready", style="dim")


def _answer(seen: Situation) -> Text:
    if not seen.said or seen.said_age > RECENT:
        return Text()
    return Text(seen.said, style="green" if seen.said_well else "bold yellow")


def _outcome_style(last: str) -> str:
    for word, style in (("success", "green"), ("failure", "red"), ("discarded", "dim")):
        if last.startswith(word):
            return style
    return ""
