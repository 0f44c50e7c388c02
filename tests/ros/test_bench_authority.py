"""The authority bench ends with its keys, and sees an arm that goes on or jumps."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import ExecutedCommand
from sinew_nodes import bench_authority
from sinew_nodes.authority_client import AuthorityClient
from sinew_nodes.authority_trials import Stop, Takeover, Trials
from sinew_nodes.bench_authority import stop_figures, takeover_figures
from sinew_nodes.fault_rig import write_hardware

PERIOD = 33_333_333  # ns
MODELS = "sinew_nodes.bench_models"


@pytest.fixture
def hardware(tmp_path: Path) -> Hardware:
    return load_hardware(str(write_hardware(tmp_path, "synthetic", perception={"plugin": f"{MODELS}:Blind"})))


def test_a_tiny_run_ends_with_the_keys_and_within_what_is_allowed(
    hardware: Hardware, own_domain: None, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--hardware", str(hardware.path), "--moments", "4", "--json"]
    models = ["--affordance", f"{MODELS}:Anywhere", "--reward", f"{MODELS}:Indifferent"]
    code = bench_authority.main([*words, *models])
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {"takeover_p99_periods", "stop_p99_periods", "stop_max_periods"} <= set(result)
    assert (result["takeovers"], result["stops"], result["recorder"]) == (4, 4, True)
    assert result["stale_hand_backs"] == 0
    assert result["takeover_p50_periods"] <= 2
    assert code in (0, 1), "how soon depends on what else the machine does"


def trials(hardware: Hardware, positions: list[float]) -> Trials:
    """Trials among commands one period apart, all joints at the same position."""
    commands = [
        ExecutedCommand(i * PERIOD, np.full(6, position), "policy") for i, position in enumerate(positions)
    ]
    client = SimpleNamespace(
        sent=commands,
        since=lambda moment: AuthorityClient.since(cast(Any, client), moment),
        before=lambda moment: AuthorityClient.before(cast(Any, client), moment),
    )
    return Trials(cast(AuthorityClient, client), hardware, np.random.default_rng(0))


def test_an_arm_that_goes_on_after_a_stop_is_seen(hardware: Hardware) -> None:
    asked = 2 * PERIOD + PERIOD // 2
    assert trials(hardware, [0.0, 0.1, 0.2, 0.2, 0.2])._last_motion(asked) == 0
    assert trials(hardware, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.5])._last_motion(asked) == pytest.approx(
        2.5, 1e-3
    )


def test_a_bump_is_seen(hardware: Hardware) -> None:
    smooth, bump = trials(hardware, [0.0, 0.01, 0.02]), trials(hardware, [0.0, 0.01, 0.2])
    assert max(smooth._bump(smooth._client.sent[-1])) < 1e-6 + 0.1
    assert min(bump._bump(bump._client.sent[-1])) > 1


def test_what_is_late_bumps_or_answers_old_observations_does_not_hold() -> None:
    def holds(took: float = 1.0, stop: float = 0.0, step: float = 0.5, fresh: bool = True) -> bool:
        takeovers = [Takeover(took, 1.0, step, 0.5, fresh)]
        return bench_authority._holds({**takeover_figures(takeovers), **stop_figures([Stop("topic", stop)])})

    assert holds()
    assert not any([holds(took=2.1), holds(stop=2.1), holds(step=1.1), holds(fresh=False)])
