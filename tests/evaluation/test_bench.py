"""`sinew bench` and its success bench."""

import json
from pathlib import Path

import pytest
from sinew_core.errors import ConfigError
from sinew_eval import bench
from support import MODELS, last_json, sinew, write_hardware


def test_an_unknown_bench_is_answered_with_the_nearest(tmp_path: Path) -> None:
    done = sinew("bench", "succes", cwd=tmp_path)
    assert done.returncode == 2
    assert "unknown bench 'succes'. Did you mean 'success'?" in done.stderr


def test_help_lists_the_benches(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench.main(["--help"]) == 0
    assert "  success" in capsys.readouterr().out


def test_no_name_is_a_mistake() -> None:
    assert bench.main([]) == 2
    with pytest.raises(ConfigError, match="unknown bench"):
        bench.main(["nothing_of_the_kind"])


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_success_over_seeds_is_the_same_for_any_number_of_workers(tmp_path: Path, jobs: str) -> None:
    hardware = write_hardware(tmp_path)
    options = ("--episodes", "5", "--seed", "40", "--jobs", jobs, "--out", "result.json", "--json")
    done = sinew("bench", "success", "--hardware", hardware, *MODELS, *options, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    result = last_json(done.stdout)
    assert result == json.loads((tmp_path / "result.json").read_text())
    assert result["episodes"] == result["successes"] == 5
    assert result["success_rate"] == 1.0
    assert result["seed"] == 40
    assert result["steps_median"] == 12
    assert result["failures"] == []
    assert result["machine"]["cores"] >= 1


def test_failures_keep_their_seed(tmp_path: Path) -> None:
    hardware = write_hardware(tmp_path, success_after=0)
    options = ("--episodes", "2", "--seed", "40", "--jobs", "2", "--max-steps", "3", "--json")
    done = sinew("bench", "success", "--hardware", hardware, *MODELS, *options, cwd=tmp_path)
    failures = last_json(done.stdout)["failures"]
    assert [failure["seed"] for failure in failures] == [40, 41]
    assert {failure["outcome"] for failure in failures} == {"timeout"}


def test_a_worker_that_cannot_start_says_why(tmp_path: Path) -> None:
    hardware = write_hardware(tmp_path)
    models = ("--policy", "stand_ins:Nobody", *MODELS[2:])
    done = sinew("bench", "success", "--hardware", hardware, *models, "--episodes", "2", cwd=tmp_path)
    assert done.returncode == 2
    assert "no class 'Nobody'" in done.stderr
