"""The skills that come with Sinew do what they are called, as an ordinary policy, from camera images."""

import pytest
from sinew_core.hardware import load_hardware
from sinew_core.models import make_affordance, make_perception, make_policy, make_reward
from sinew_core.runtime import Brain, run_episode
from sinew_policies.learned.checkpoint import SHIPPED, read_sheet

SKILLS = sorted(SHIPPED.glob("*.safetensors"))
SCENES = range(20_000, 20_005)


def test_there_are_skills_for_pushing_and_for_picking_and_placing():
    assert {"pick_place_so101", "push_so101"} <= {path.stem for path in SKILLS}


@pytest.mark.parametrize("path", SKILLS, ids=lambda path: path.stem)
def test_a_shipped_skill_succeeds_on_fresh_scenes(path):
    task = read_sheet(path).task
    hardware = load_hardware("sim_mujoco").with_pace("lockstep")
    station = hardware.open_station(task)
    brain = Brain(
        make_perception(hardware, task),
        make_affordance("rule_grounding", hardware, task),
        make_reward("affordance_way", hardware, task),
        make_policy("learned", hardware, task),
    )
    try:
        done = [run_episode(station, hardware, brain, seed=seed).success for seed in SCENES]
    finally:
        station.close()
    assert sum(done) >= 4


@pytest.mark.parametrize("path", SKILLS, ids=lambda path: path.stem)
def test_a_shipped_skill_says_how_it_was_made(path):
    provenance = read_sheet(path).provenance
    assert {"training", "steps", "validation", "versions"} <= provenance.keys()
    assert path.stat().st_size < 500_000
