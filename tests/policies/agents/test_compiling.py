"""Compiled updates do what uncompiled ones do; without a compiler they run as they are."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
import torch
from sinew_policies.agents import compiling
from sinew_policies.agents.compiling import compiled
from sinew_policies.agents.rlpd import Config as RlpdConfig
from sinew_policies.agents.rlpd import Rlpd
from sinew_policies.agents.sac import Sac
from sinew_policies.agents.sac_config import Config as SacConfig
from worlds import noise_batch, plain, spaces

STATE, ACTION, ROWS = 3, 2, 16


def make(name: str, *, fast: bool) -> Sac:
    if name == "rlpd":
        config = RlpdConfig(hidden=(8, 8), critics=3, updates=2, cloning_weight=0.5, compiled=fast)
        return Rlpd(config, spaces(STATE, ACTION), plain(STATE), 0)
    return Sac(SacConfig(hidden=(8, 8), compiled=fast), spaces(STATE, ACTION), plain(STATE), 0)


@pytest.mark.parametrize("name", ["sac", "rlpd"])
def test_compiled_updates_come_to_the_same_agent(name: str) -> None:
    slow, fast = make(name, fast=False), make(name, fast=True)
    for seed in range(4):
        batch = noise_batch(ROWS, STATE, ACTION, seed)
        batch = replace(batch, demonstration=torch.arange(ROWS) % 2 == 0)
        slow.update(batch)
        fast.update(batch)
    expected, found = slow.tensors(), fast.tensors()
    assert expected.keys() == found.keys()
    for tensor_name, tensor in expected.items():
        torch.testing.assert_close(found[tensor_name], tensor, rtol=1e-3, atol=1e-5, msg=tensor_name)


def test_without_a_compiler_it_says_so_and_runs_uncompiled(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compiling.shutil, "which", lambda name: None)
    with caplog.at_level(logging.WARNING):
        assert compiled(test_compiled_updates_come_to_the_same_agent, wanted=True) is (
            test_compiled_updates_come_to_the_same_agent
        )
    assert "no C++ compiler" in caplog.text
