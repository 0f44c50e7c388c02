"""The policy of an actor: whatever weights came last."""

from __future__ import annotations

from sinew_core.hardware import Hardware
from sinew_core.protocols import Policy
from sinew_core.types import ActionChunk, FloatArray, Observation, Task
from sinew_policies.learned.policy import ActingPolicy

from sinew_training.weights import Held, WeightsError


class NewestPolicy:
    """Acts with the newest weights; until there are any by `start`, or without one by holding the arm."""

    def __init__(
        self, hardware: Hardware, start: Policy | None, *, greedy: bool, needs_frames: bool = False
    ) -> None:
        self._hardware, self._start, self._greedy = hardware, start, greedy
        self.needs_frames = needs_frames or bool(getattr(start, "needs_frames", False))
        self.held: Held | None = None
        self._acting: ActingPolicy | None = None
        self._task: Task | None = None
        self._target: FloatArray | None = None  # (n,) where the arm is held

    def adopt(self, held: Held) -> None:
        """Act with other weights from the next decision on; WeightsError where they want frames in vain."""
        if held.acting.encoding.needs_frames and not self.needs_frames:
            raise WeightsError(
                f"weights {held.version}: see camera images, which this actor does not take in; start it "
                "with images:=true."
            )
        if self.held is None or held.acting is not self.held.acting:
            self._acting = ActingPolicy(held.acting, self._hardware, greedy=self._greedy)
            if self._task is not None:
                self._acting.reset(self._task)
        self.held = held

    def reset(self, task: Task) -> None:
        """Begin anew."""
        self._task, self._target = task, None
        policy = self._acting or self._start
        if policy is not None:
            policy.reset(task)

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next joint targets."""
        policy = self._acting or self._start
        if policy is not None:
            return policy.infer(observation)
        if self._target is None:
            self._target = observation.joints.position.copy()
        return ActionChunk(observation.stamp, self._hardware.config.control_period, self._target[None].copy())
