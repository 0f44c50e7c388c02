"""Claims about `sinew ground train` and `show`: one command, which can be interrupted and gone on with."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from sinew_core.errors import ConfigError
from sinew_perception.ground.command import main
from sinew_perception.ground.grounder import load_weights


def _options(folder: Path, steps: int) -> list[str]:
    small = {"--pictures": 8, "--calibration": 10, "--reading": 2, "--threads": 1, "--steps": steps}
    return [
        *("train", "--out", str(folder / "w.safetensors"), "--cache", str(folder / "cache")),
        *(str(item) for pair in small.items() for item in pair),
    ]


def test_weights_say_how_to_make_them_again(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(_options(tmp_path, 2)) == 0
    _, provenance = load_weights(tmp_path / "w.safetensors")
    assert str(provenance["command"]).startswith("sinew ground train --out w.safetensors")
    assert str(tmp_path) not in json.dumps(provenance)
    assert provenance["steps_done"] == 2
    capsys.readouterr()
    assert main(["show", "--weights", str(tmp_path / "w.safetensors")]) == 0
    assert json.loads(capsys.readouterr().out) == provenance


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_training_is_gone_on_with_and_never_begun_anew_unasked(
    tmp_path: Path, number: signal.Signals
) -> None:
    options, checkpoint = _options(tmp_path, 100_000), tmp_path / "w.checkpoint"
    script = "import sys; from sinew_core.cli import main; sys.exit(main(['ground', *sys.argv[1:]]))"
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    run = subprocess.Popen([sys.executable, "-c", script, *options], stderr=subprocess.PIPE, env=environment)
    assert run.stderr is not None
    for line in run.stderr:
        if b"step 20" in line:
            break
    run.send_signal(number)
    rest = run.stderr.read().decode()
    assert run.wait(timeout=60) == 130
    assert "Traceback" not in rest
    assert checkpoint.is_file()
    with pytest.raises(ConfigError, match="give --resume, or remove it"):
        main(options)
    with pytest.raises(ConfigError, match="another training"):
        main([*_options(tmp_path, 3), "--resume"])
