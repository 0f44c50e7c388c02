"""The switch that a person must hold to move the arm, and that must be let go of after anything unusual."""

from __future__ import annotations


class DeadManSwitch:
    """Held only if it was seen let go of since the last `lock`: a switch that is stuck moves nothing."""

    def __init__(self) -> None:
        self._locked = True
        self._pressed = False

    @property
    def held(self) -> bool:
        """Whether the arm may move."""
        return self._pressed and not self._locked

    @property
    def stuck(self) -> bool:
        """Whether it is pressed and must first be let go of."""
        return self._pressed and self._locked

    def press(self, *, pressed: bool) -> None:
        """Take the switch's state."""
        self._pressed = pressed
        self._locked = self._locked and pressed

    def lock(self) -> None:
        """Have it let go of before it counts again."""
        self._locked = True
