"""The verbs on recorded episodes and on a fake simulator; every mistake is a sentence, nothing is lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_rewards.classifier.command import main
from sinew_rewards.classifier.frames import SUFFIX, frame_files, save_frames
from sinew_rewards.classifier.recorded import Wanted, recorded_frames
from sinew_rewards.classifier.scorer import facts_path
from squares import LENGTH, SPEC, episode, hardware_file, make_folder, record, train

HERE = Path(__file__).parent


@pytest.fixture
def dataset(tmp_path: Path, hardware: Hardware) -> Path:
    for number in range(9):
        record(tmp_path / "demos", hardware, number, outcome=("success", "failure")[number % 3 == 2])
    return tmp_path / "demos"


def options(tmp_path: Path, *more: str) -> list[str]:
    return ["--out", str(tmp_path / "w.safetensors"), "--cache", str(tmp_path / "cache"), *more]


SMALL = ("--size", "24", "--steps", "25", "--batch", "8", "--threads", "1", "--positives", "3", "--gap", "6")


def test_recorded_episodes_train_a_classifier_that_shows_what_it_is(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", str(dataset), *options(tmp_path, *SMALL, "--json")]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["figures"]["episodes"] >= 2
    assert main(["show", str(tmp_path / "w.safetensors"), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["provenance"]["data"]["episodes"] == 9
    assert shown["may_end_episodes"] == made["passed"]
    assert shown["provenance"]["command"].startswith("sinew classifier train demos --out w.safetensors")


def test_pictures_are_read_from_an_episode_once(dataset: Path, tmp_path: Path) -> None:
    wanted = Wanted(size=24)
    first = [read.frames for read in recorded_frames(dataset, wanted, tmp_path / "cache")]
    files = {path: path.stat().st_mtime_ns for path in frame_files(tmp_path / "cache")}
    second = [read.frames for read in recorded_frames(dataset, wanted, tmp_path / "cache")]
    assert {path: path.stat().st_mtime_ns for path in frame_files(tmp_path / "cache")} == files
    for a, b in zip(first, second, strict=True):
        assert a is not None
        assert b is not None
        assert len(a) == LENGTH
        assert np.array_equal(a.pictures, b.pictures)


def test_a_mark_is_read_from_the_recording(hardware: Hardware, tmp_path: Path) -> None:
    record(tmp_path / "demos", hardware, 0, outcome="failure", marks=("failure",))
    (read,) = recorded_frames(tmp_path / "demos", Wanted(size=24), tmp_path / "cache")
    assert read.frames is not None
    assert read.frames.facts.mark == "failure"


def test_damaged_episodes_are_left_out_with_a_sentence_each(dataset: Path, tmp_path: Path) -> None:
    paths = sorted((dataset / "episodes").glob("*.mcap"))
    inside, cut = (bytearray(path.read_bytes()) for path in paths[:2])
    messages = inside.index(b"zstd")
    inside[messages + 50 : messages + 90] = bytes(40)
    paths[0].write_bytes(inside)
    paths[1].write_bytes(cut[: len(cut) // 2])
    reads = list(recorded_frames(dataset, Wanted(size=24), tmp_path / "cache"))
    problems = sorted(read.problem for read in reads if read.problem)
    assert len(reads) == len(paths)
    assert [path.name in problem for path, problem in zip(paths, problems, strict=False)] == [True, True]


def test_crops_come_out_at_the_right_place(hardware: Hardware, tmp_path: Path) -> None:
    record(tmp_path / "demos", hardware, 0)
    whole = Wanted(size=24)
    part = Wanted(size=16, crops=(("top", (4, 8, 20, 24)),))
    (a,), (b,) = (list(recorded_frames(tmp_path / "demos", w, tmp_path / "cache")) for w in (whole, part))
    assert a.frames is not None
    assert b.frames is not None
    assert np.array_equal(a.frames.pictures[:, :, 8:24, 4:20], b.frames.pictures)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--cameras", "tap"], "no episode has a camera 'tap'. Did you mean 'top'?"),
        (["--crop", "top=0,0,99,24"], "left,top,right,bottom within 24x24 px, got 0,0,99,24"),
        (["--task", "stack"], "no episode of the task 'stack'"),
        (["--positives", "0"], "expected positives >= 1"),
        (["--held-out", "0.9"], "expected shares above 0 with a sum below 1"),
        (["--resume"], "there is no .*w.checkpoint to go on from"),
    ],
)
def test_what_cannot_be_is_said(dataset: Path, tmp_path: Path, arguments: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        main(["train", str(dataset), *options(tmp_path, "--size", "24", *arguments)])
    assert not (tmp_path / "w.safetensors").exists()


def test_several_tasks_have_to_be_told_apart(dataset: Path, hardware: Hardware, tmp_path: Path) -> None:
    record(dataset, hardware, 90, task="stack")
    with pytest.raises(ConfigError, match="several tasks; choose one by --task: put, stack"):
        main(["train", str(dataset), *options(tmp_path, *SMALL)])


def test_no_episodes_is_an_error_that_names_the_folder(tmp_path: Path) -> None:
    (tmp_path / "empty" / "episodes").mkdir(parents=True)
    for folder, words in (("empty", "no episodes in"), ("nowhere", "does not exist"), (".", "has neither")):
        with pytest.raises(ConfigError, match=words):
            main(["train", str(tmp_path / folder), *options(tmp_path)])


def test_another_robots_episodes_are_refused(tmp_path: Path) -> None:
    for robot in ("so101", "fr3"):
        for number in range(3):
            record(
                tmp_path / "demos",
                load_hardware(str(hardware_file(tmp_path, robot=robot))),
                number + 10 * (robot == "fr3"),
            )
    with pytest.raises(ConfigError, match="several robots: .*fr3.*so101|several robots: .*so101.*fr3"):
        main(["train", str(tmp_path / "demos"), *options(tmp_path, *SMALL)])


def test_an_episode_given_twice_is_refused(tmp_path: Path) -> None:
    made = [make_folder(tmp_path / name, 6) for name in ("a", "b")]
    with pytest.raises(ConfigError, match="put-000 is there twice"):
        main(["train", *map(str, made), *options(tmp_path)])


def test_what_exists_is_kept_unless_forced(tmp_path: Path) -> None:
    out = tmp_path / "w.safetensors"
    out.write_bytes(b"precious")
    data = make_folder(tmp_path / "frames", 12)
    with pytest.raises(ConfigError, match=r"w.safetensors exists. Choose another --out"):
        train(data, out, steps=5)
    assert out.read_bytes() == b"precious"
    assert train(data, out, "--force", steps=5) == 0
    assert out.read_bytes() != b"precious"


def test_an_output_that_cannot_be_written_is_found_before_training(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    data = make_folder(tmp_path / "frames", 6)
    with pytest.raises(ConfigError, match="cannot be written"):
        train(data, tmp_path / "file" / "w.safetensors")
    with pytest.raises(ConfigError, match=r"ends with .safetensors"):
        train(data, tmp_path / "w.bin")


def test_only_unseen_episodes_make_a_card(tmp_path: Path) -> None:
    data = make_folder(tmp_path / "frames", 12)
    out = tmp_path / "w.safetensors"
    train(data, out, steps=5)
    held_out = json.loads(facts_path(out).read_text())["split"]["held_out"]
    for path in frame_files(data):
        if path.name.removesuffix(SUFFIX) in held_out:
            path.unlink()
    with pytest.raises(ConfigError, match="there is nothing to test it on"):
        main(["card", str(out), str(data)])


def test_frames_that_were_cropped_when_collected_make_a_card(tmp_path: Path) -> None:
    view = replace(SPEC.views[0], width=48, height=40, crop=(4, 8, 28, 32))
    for number in range(12):
        made = episode(tmp_path / "frames", number, success=number % 3 != 2)
        save_frames(replace(made, spec=replace(SPEC, views=(view,))))
    out = tmp_path / "w.safetensors"
    train(tmp_path / "frames", out, steps=5)
    assert main(["card", str(out), str(tmp_path / "frames")]) in (0, 1)
    with pytest.raises(ConfigError, match="cropped for good"):
        train(tmp_path / "frames", tmp_path / "v.safetensors", "--crop", "top=0,0,24,24")


def test_a_card_on_another_robots_episodes_is_refused(tmp_path: Path) -> None:
    out = tmp_path / "w.safetensors"
    train(make_folder(tmp_path / "frames", 12), out, steps=5)
    for number in (70, 71):
        save_frames(episode(tmp_path / "others", number, success=number == 70, robot="fr3"))
    with pytest.raises(ConfigError, match="robot 'so101', the episodes are of 'fr3'"):
        main(["card", str(out), str(tmp_path / "others")])


def test_an_interrupted_training_leaves_a_checkpoint_and_nothing_half_made(tmp_path: Path) -> None:
    data, out = make_folder(tmp_path / "frames", 12), tmp_path / "w.safetensors"
    script = (
        "import sys\nfrom sinew_rewards.classifier.command import main\n"
        "try:\n    sys.exit(main(sys.argv[1:]))\nexcept KeyboardInterrupt:\n    sys.exit(130)"
    )
    given = ["train", str(data), "--out", str(out), "--steps", "100000", "--batch", "8", "--threads", "1"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    run = subprocess.Popen([sys.executable, "-c", script, *given], stderr=subprocess.PIPE, env=environment)
    assert run.stderr is not None
    for line in run.stderr:
        if b"step 25 " in line:
            break
    run.send_signal(signal.SIGINT)
    rest = run.stderr.read().decode()
    assert run.wait(timeout=60) == 130
    assert "Traceback" not in rest
    assert (tmp_path / "w.checkpoint").is_file()
    assert not out.exists()
    with pytest.raises(ConfigError, match="holds an earlier training: give --resume, or --force"):
        main(given)
    with pytest.raises(ConfigError, match="training with another config"):
        train(data, out, "--resume", steps=30)


def test_collect_by_hand_hands_over_to_teleop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from sinew_rewards.classifier.verbs import collect

    heard: list[list[str]] = []

    class Entry:
        name = "teleop"

        def load(self) -> object:
            return lambda argv: heard.append(list(argv)) or 7

    monkeypatch.setattr(collect, "entry_points", lambda group: [Entry()])
    code = main(["collect", str(tmp_path / "demos"), "--teleop", "--task", "push", "--source", "gamepad"])
    assert code == 7
    (argv,) = heard
    assert {"--task=push", f"--record={tmp_path / 'demos'}", "--source", "gamepad"} <= set(argv)
    assert "y  success" in capsys.readouterr().err


def test_collect_says_what_it_does_not_know(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown options: --sauce"):
        main(["collect", str(tmp_path), "--scripted", "--sauce"])
    with pytest.raises(ConfigError, match="no camera 'tap' that delivers frames. Did you mean 'top'?"):
        main(["collect", str(tmp_path), "--scripted", "--cameras", "tap"])


def test_an_unknown_verb_is_answered_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match="unknown verb 'trian'. Did you mean 'train'?"):
        main(["trian"])
