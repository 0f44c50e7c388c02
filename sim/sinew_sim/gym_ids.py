"""The gymnasium ids of the shipped tasks, robots and simulators."""

from __future__ import annotations

from gymnasium.envs.registration import register as register_env
from gymnasium.envs.registration import registry

TASKS = {"Reach": "reach", "Push": "push", "PickPlace": "pick_place", "Stack": "stack"}
HARDWARE = {
    "SO101-MuJoCo": "sim_mujoco",
    "FR3-MuJoCo": "sim_mujoco_fr3",
    "SO101-PyBullet": "sim_pybullet",
    "FR3-PyBullet": "sim_pybullet_fr3",
}


def register() -> None:
    """Register `Sinew/<Task>-<Robot>-<Simulator>-v0`; safe to call again."""
    for task_name, task in TASKS.items():
        for hardware_name, hardware in HARDWARE.items():
            name = f"Sinew/{task_name}-{hardware_name}-v0"
            if name not in registry:
                register_env(
                    id=name,
                    entry_point="sinew_sim.gym_env:SinewEnv",
                    kwargs={"hardware": hardware, "task": task},
                )
