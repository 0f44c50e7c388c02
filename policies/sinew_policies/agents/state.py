"""Everything an agent consists of, as named tensors: saved, loaded and checked in one place."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Generator, Tensor, nn

from sinew_policies.agents.agent import AgentError
from sinew_policies.agents.optimizer import FlatAdam, descend, make_adam

__all__ = ["Saved", "State", "descend", "make_adam"]


class State:
    """Live tensors by name, from an agent's parts.

    Names are `<part>.<parameter>` for modules, `<part>.<moment>` for optimisers, the part's own name
    for generators and plain tensors. The parts must keep their tensors (write in place) for as long as
    the state is used: make the optimisers first.
    """

    def __init__(
        self,
        modules: Mapping[str, nn.Module],
        optimizers: Mapping[str, FlatAdam] | None = None,
        generators: Mapping[str, Generator] | None = None,
        plain: Mapping[str, Tensor] | None = None,
    ) -> None:
        self._live = {
            f"{part}.{name}": tensor
            for part, module in modules.items()
            for name, tensor in module.state_dict().items()
        }
        for part, optimizer in (optimizers or {}).items():
            self._live |= {f"{part}.{name}": tensor for name, tensor in optimizer.named_tensors()}
        self._live |= {name: tensor.detach() for name, tensor in (plain or {}).items()}
        self._generators = dict(generators or {})

    def tensors(self) -> dict[str, Tensor]:
        """Return copies, contiguous; AgentError naming the tensor that is not finite."""
        copies = {
            name: tensor.clone(memory_format=torch.contiguous_format) for name, tensor in self._live.items()
        }
        for name, tensor in copies.items():
            if tensor.is_floating_point() and not bool(torch.isfinite(tensor).all()):
                raise AgentError(
                    f"{name} holds values that are not finite; the last checkpoint is still good"
                )
        return copies | {name: generator.get_state() for name, generator in self._generators.items()}

    def load(self, given: Mapping[str, Tensor]) -> None:
        """Copy tensors in, or raise AgentError and change nothing."""
        expected = self._live | {name: part.get_state() for name, part in self._generators.items()}
        missing, extra = sorted(expected.keys() - given.keys()), sorted(given.keys() - expected.keys())
        if missing or extra:
            raise AgentError(
                f"tensors of another agent: missing {_some(missing)}; not expected {_some(extra)}"
            )
        for name, tensor in expected.items():
            _check_same_kind(name, tensor, given[name])
        with torch.no_grad():
            for name, tensor in self._live.items():
                tensor.copy_(given[name])
        for name, generator in self._generators.items():
            generator.set_state(given[name].clone())


class Saved:
    """What every agent has that is made of two states: that of acting, and that of everything."""

    _state: State
    _policy: State

    def policy_tensors(self) -> dict[str, Tensor]:
        """Return copies of what acting needs, the encoder's tensors among them."""
        return self._policy.tensors()

    def load_policy(self, tensors: Mapping[str, Tensor]) -> None:
        """Take what `policy_tensors` gave."""
        self._policy.load(tensors)

    def tensors(self) -> dict[str, Tensor]:
        """Return copies of everything that an exact resume needs."""
        return self._state.tensors()

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Take what `tensors` gave."""
        self._state.load(tensors)


def _check_same_kind(name: str, expected: Tensor, given: Tensor) -> None:
    if given.shape != expected.shape:
        raise AgentError(f"{name}: given shape {tuple(given.shape)}, expected {tuple(expected.shape)}")
    if given.dtype != expected.dtype:
        raise AgentError(f"{name}: given {given.dtype}, expected {expected.dtype}")


def _some(names: list[str]) -> str:
    if not names:
        return "nothing"
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
