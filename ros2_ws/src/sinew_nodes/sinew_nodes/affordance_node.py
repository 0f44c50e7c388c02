"""The first observation of an episode and its sentence in, one affordance or refusal out."""

from __future__ import annotations

import sys
import threading
import time

from sensor_msgs.msg import Image
from sinew_core.models import make_affordance
from sinew_core.protocols import AffordanceModel, Illustrated
from sinew_core.runtime import guarded
from sinew_core.types import Affordance, Observation, Refusal
from sinew_msgs.msg import Affordance as AffordanceMsg

from sinew_nodes import convert, qos
from sinew_nodes.component_node import run_node
from sinew_nodes.episode_node import Episode
from sinew_nodes.observer_node import ObserverNode
from sinew_nodes.parameters import AffordanceParameters

PICTURE = "affordance/image_raw"  # what the model looked at and answered, where it can show it


class AffordanceNode(ObserverNode[AffordanceParameters]):
    """Asks the affordance model once per episode, in a thread of its own: the model may be slow.

    After `affordance_timeout` the episode is refused, and an answer that comes later is dropped.
    """

    Parameters = AffordanceParameters

    def __init__(self) -> None:
        super().__init__("affordance_node")

    def setup(self) -> None:
        """Load the model and subscribe."""
        self.open_episodes()
        self._model: AffordanceModel = make_affordance(
            self.parameters.affordance, self.hardware, self.parameters.task
        )
        self._asked: Episode | None = None
        self._answered: Episode | None = None
        self._publisher = self.create_publisher(AffordanceMsg, "affordance", qos.latched())
        self._pictures = self.create_publisher(Image, PICTURE, qos.latched())
        self.open_observations(self._model, affordance=False)

    def observe(self, observation: Observation) -> None:
        """Ask for the first observation of an episode."""
        episode = self.episode
        assert episode is not None
        if episode == self._asked:
            return
        self._asked = episode
        limit = threading.Timer(
            self.parameters.affordance_timeout, self.post, (self._give_up, observation.stamp, episode)
        )
        limit.daemon = True
        limit.start()
        threading.Thread(target=self._ask, args=(observation, episode, limit), daemon=True).start()

    def _ask(self, observation: Observation, episode: Episode, limit: threading.Timer) -> None:
        started = time.perf_counter()
        try:
            answer = guarded(self._model, self._model.propose, observation, episode.task.instruction)
        except Exception as error:  # noqa: BLE001 - handed on to the executor's thread
            self.post(self._failed, error, episode)
            return
        finally:
            limit.cancel()
        self.meter.done(time.perf_counter() - started)
        if isinstance(self._model, Illustrated):  # first, since a refusal ends the episode
            self._draw(self._model, observation.stamp)
        self.post(self._publish, answer, episode)

    def _draw(self, model: Illustrated, stamp: int) -> None:
        try:
            picture = model.picture()
        except Exception as error:  # noqa: BLE001 - the answer stands without a picture
            self.get_logger().warning(f"no picture of the answer: {type(error).__name__}: {error}")
            return
        if picture is not None:
            self.post(self._pictures.publish, convert.rgb_to_wire(stamp, picture, "affordance"))

    def _failed(self, error: Exception, episode: Episode) -> None:
        if self.active and self.episode == episode and self._answered != episode:
            self.fail(error)

    def _give_up(self, stamp: int, episode: Episode) -> None:
        waited = self.parameters.affordance_timeout
        reason = f"timeout: the affordance model gave no answer within {waited:g} s."
        if self._answered != episode:
            self._publish(Refusal(stamp, episode.task.instruction, reason, (), "affordance_node"), episode)

    def _publish(self, answer: Affordance | Refusal, episode: Episode) -> None:
        if not self.active or self.episode != episode:
            self.get_logger().warning(f"dropped the answer for episode {episode.number}, which has ended")
            return
        if self._answered == episode:
            self.get_logger().warning(f"dropped the answer for episode {episode.number}: it came too late")
            return
        self._answered = episode
        self._publisher.publish(convert.affordance_to_msg(answer, episode.number, self.base))


def main() -> int:
    """Run the node."""
    return run_node(AffordanceNode)


if __name__ == "__main__":
    sys.exit(main())
