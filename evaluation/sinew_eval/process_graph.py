"""The graph in one process: a simulated station and a brain, driven by the core's own loop."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.models import make_affordance, make_perception, make_policy, make_reward
from sinew_core.protocols import Illustrated, Station
from sinew_core.runtime import Brain, EpisodeResult, OnStep, Step, run_episode
from sinew_core.types import NANOSECONDS, ImageArray
from sinew_perception.drawing.view import View

from sinew_eval.overlay import Overlay
from sinew_eval.records import OnRecord, RunConfig, StepRecord
from sinew_eval.video import FPS

if TYPE_CHECKING:  # what it needs is not there without the extra `data`
    from sinew_eval.process_recording import ProcessRecorder

VIDEO_INTERVAL = NANOSECONDS // FPS  # ns between the frames that a video takes


def make_brain(config: RunConfig, hardware: Hardware) -> Brain:
    """Build perception, affordance and reward model and policy; raises ConfigError."""
    return Brain(
        perception=make_perception(hardware, config.task),
        affordance=make_affordance(config.affordance, hardware, config.task),
        reward=make_reward(config.reward, hardware, config.task),
        policy=make_policy(config.policy, hardware, config.task),
    )


def _make_recorder(config: RunConfig, hardware: Hardware) -> ProcessRecorder | None:
    if not config.record:
        return None
    from sinew_eval.process_recording import ProcessRecorder

    return ProcessRecorder(config, hardware)


class ProcessGraph:
    """Runs episodes in lockstep, in this process."""

    def __init__(self, config: RunConfig) -> None:
        if config.pace != "lockstep":
            raise ConfigError("the graph 'process' runs in lockstep only. Use --graph ros for real time.")
        self._config = config
        self._hardware = load_hardware(config.hardware).with_pace("lockstep")
        self._brain = make_brain(config, self._hardware)
        self._recorder = _make_recorder(config, self._hardware)
        self._overlay = Overlay(config, self._hardware)
        self._station = self._hardware.open_station(config.task)
        if self._station.world is None:
            self._station.close()
            raise ConfigError(
                f"hardware '{config.hardware}' is no simulation; the graph 'process' runs in lockstep and "
                "needs one. Use --graph ros."
            )

    def run_episode(self, seed: int, on_record: OnRecord, again: str | None = None) -> EpisodeResult:
        """Run one episode to its end; Ctrl-C ends it as `interrupted`, with the arm held."""
        if self._recorder is None:
            return self._run(seed, on_record, None, again)
        return self._recorder.record(seed, lambda record: self._run(seed, on_record, record, again))

    def _run(self, seed: int, on_record: OnRecord, record: OnStep | None, again: str | None) -> EpisodeResult:
        tap = _Tap(self._station, self._overlay, self._config, on_record, record)
        try:
            return run_episode(
                self._station,
                self._hardware,
                self._brain,
                seed=seed,
                instruction=self._config.instruction if again is None else again,
                max_steps=self._config.max_steps,
                on_step=tap.take,
                again=again is not None,
            )
        except KeyboardInterrupt:  # outside the loop: while the scene was laid out or the arm held
            self._station.arm.stop()
            message = "interrupted by the user"
            return EpisodeResult(seed, tap.instruction, "interrupted", tap.steps, message)

    def picture(self) -> ImageArray | None:
        """Return the affordance model's picture of the last episode, if it draws one."""
        model = self._brain.affordance
        return model.picture() if isinstance(model, Illustrated) else None

    def close(self) -> None:
        """Stop the arm and release the simulator."""
        self._station.close()


class _Tap:
    """Turns steps into records; the time that this takes does not count as the graph's."""

    def __init__(
        self,
        station: Station,
        overlay: Overlay,
        config: RunConfig,
        on_record: OnRecord,
        record: OnStep | None,
    ) -> None:
        self._station, self._camera, self._on_record = station, config.video_camera, on_record
        self._overlay, self._record = overlay, record
        self.instruction = config.instruction
        self._start = time.perf_counter()
        self._next_frame = 0  # ns, stamp
        self.steps = 0

    def take(self, step: Step) -> None:
        """Hand one step on as a record."""
        entered = time.perf_counter()
        executed = step.executed
        self.instruction = step.observation.task.instruction
        if self._record is not None:
            self._record(step)
        self._on_record(
            StepRecord(
                index=step.index,
                stamp=executed.stamp,
                position=executed.position,
                source=executed.source,
                reasons=executed.reasons,
                reward=step.reward.value,
                terms=dict(step.reward.terms),
                frame=self._frame(step),
                wall=entered - self._start,
                instruction=self.instruction,
            )
        )
        self.steps = step.index + 1
        self._start += time.perf_counter() - entered

    def _frame(self, step: Step) -> ImageArray | None:
        """Return the video camera's frame every so often: the observed one, or one read for this."""
        if step.executed.stamp < self._next_frame or self._camera not in self._station.cameras:
            return None
        observed = step.observation.frames.get(self._camera)
        self._next_frame = step.executed.stamp + VIDEO_INTERVAL
        frame = self._station.cameras[self._camera].read() if observed is None else observed
        return self._overlay.draw(frame.rgb, _view(step))


def _view(step: Step) -> View:
    observation = step.observation
    return View(
        joints=observation.joints,
        instruction=observation.task.instruction,
        keypoints=observation.keypoints,
        answer=observation.affordance,
        reward=step.reward,
        owner=step.executed.source,
    )
