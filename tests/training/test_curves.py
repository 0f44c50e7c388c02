"""Learning curves: decisions to a level, spreads over seeds, takeovers, and what is refused."""

import json
import math

import pytest
from sinew_core.errors import ConfigError
from sinew_training.config import TrainConfig
from sinew_training.curves import WINDOW, read_group
from sinew_training.curves_command import main
from sinew_training.run_directory import Progress, create_run


@pytest.fixture
def run(tmp_path):
    """Make the directory of a training that was evaluated so, its takeovers falling from half to none."""

    def make(name, evaluations, seed=0, takeovers=False):
        directory = create_run(tmp_path / name, TrainConfig(seed=seed))
        progress = Progress(directory.progress)
        for k in range(2 * WINDOW):
            share = 0.5 if takeovers and k < WINDOW else 0.0
            progress.write(
                {
                    "kind": "episode",
                    "steps": 10 * (k + 1),
                    "decisions": 10,
                    "interventions": share,
                    "wall_s": k,
                }
            )
        for steps, success in evaluations:
            progress.write({"kind": "evaluation", "steps": steps, "success_rate": success, "wall_s": 90.0})
        return directory.path

    return make


def test_a_level_is_reached_on_the_line_between_two_evaluations(run):
    (curve,) = read_group("a", [run("a", [(0, 0.2), (1000, 0.6), (2000, 1.0), (3000, 0.5)])]).runs
    assert curve.steps_to(0.8) == pytest.approx(1500)
    assert curve.steps_to(0.2) == 0
    assert curve.steps_to(1.0) == pytest.approx(2000)
    assert curve.wall_s == 90.0


def test_the_median_counts_a_seed_that_never_got_there_as_the_slowest(run):
    there, later, never = (
        run("a", [(0, 0), (100, 1)]),
        run("b", [(0, 0), (200, 1)]),
        run("c", [(0, 0), (900, 0.7)]),
    )
    assert read_group("x", [there, later, never]).steps_to(0.8) == pytest.approx((80, 160, math.inf))
    assert read_group("x", [there, never, never]).steps_to(0.8)[1] == math.inf
    assert read_group("x", [there, later]).steps_to(0.8)[1] == pytest.approx(120)


def test_a_spread_goes_as_far_as_every_seed_does(run):
    group = read_group("x", [run("a", [(0, 0), (100, 1)]), run("b", [(0, 0.2), (50, 0.4), (300, 0.9)])])
    steps, (low, median, high) = group.spread("success")
    assert list(steps) == [0, 50, 100]
    assert list(low) == pytest.approx([0, 0.4, 0.5])
    assert list(median) == pytest.approx([0.1, 0.45, 0.75])
    assert list(high) == pytest.approx([0.2, 0.5, 1])


def test_takeovers_are_averaged_over_windows_of_episodes(run):
    (curve,) = read_group("x", [run("a", [(0, 0), (100, 1)], takeovers=True)]).runs
    assert list(curve.interventions.steps) == [10 * WINDOW, 20 * WINDOW]
    assert list(curve.interventions.values) == [0.5, 0.0]


def test_the_page_and_the_json_say_the_same(run, tmp_path, capsys):
    fast = [str(run(f"fast {k}", [(0, 0), (100, 1)], seed=k, takeovers=True)) for k in range(3)]
    slow = str(run("slow", [(0, 0), (100, 0.1)]))
    page, figures = tmp_path / "page.html", tmp_path / "figures.json"
    groups = ["--group", "path & more", *fast, "--group", "sparse", slow]
    assert main([*groups, "--out", str(page), "--json", str(figures)]) == 0
    printed, html, facts = capsys.readouterr().out, page.read_text(), json.loads(figures.read_text())
    assert [group["steps_to_level_median"] for group in facts["groups"]] == [80, None]
    assert facts["groups"][0]["seeds"] == [0, 1, 2]
    assert "path & more: 80 % after 80 decisions (median of 3)" in printed
    assert "sparse: 80 % not reached" in printed
    assert "path &amp; more" in html
    assert ">80<" in html.replace("</td>", "<")
    assert "never" in html
    assert "<h2>Takeovers</h2>" in html
    assert html.count("<polygon") == 4  # two groups, two plots


def test_without_takeovers_there_is_no_plot_of_them(run, tmp_path):
    page = tmp_path / "page.html"
    main(["--group", "a", str(run("a", [(0, 0), (100, 1)])), "--out", str(page)])
    assert "Takeovers" not in page.read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--group", "a"], "give the directories"),
        (["--group", "a", "{empty}"], "is no training"),
        (["--group", "a", "{new}"], "never evaluated"),
        (["--group", "a", "{run}", "--level", "80"], "expected a share"),
        (["--group", "a", "{run}", "--out", "{empty}/x/y.html"], "cannot be written"),
    ],
)
def test_what_makes_no_curve_is_refused_with_a_sentence(run, tmp_path, arguments, message):
    (tmp_path / "empty").mkdir()
    places = {"empty": tmp_path / "empty", "new": run("new", []), "run": run("run", [(0, 0), (100, 1)])}
    filled = [argument.format(**places) for argument in arguments]
    if "--out" not in filled:
        filled += ["--out", str(tmp_path / "page.html")]
    with pytest.raises(ConfigError, match=message):
        main(filled)
    assert not (tmp_path / "page.html").exists()
