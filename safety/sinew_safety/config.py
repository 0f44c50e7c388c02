"""The fields of the barrier filter in a hardware file."""

from __future__ import annotations

from dataclasses import dataclass

CONSTRAINTS = ("table", "obstacle", "self", "walls")
Vector = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A box that the arm must not touch; m and rad, base frame."""

    name: str
    size: Vector  # edge lengths
    position: Vector  # of the centre
    rpy: Vector = (0.0, 0.0, 0.0)  # about fixed x, then y, then z

    def __post_init__(self) -> None:
        """Check that it has a name and a volume."""
        if not self.name:
            raise ValueError("name: an obstacle needs one, since it is what a reason says.")
        if min(self.size) <= 0:
            raise ValueError(f"size: expected three edge lengths above 0 m, got {list(self.size)}.")


@dataclass(frozen=True, slots=True)
class BarrierConfig:
    """How fast distances may close, and how near anything may come; one pair of figures a constraint.

    A distance h may close by at most `alpha * (h - margin)` a second.
    """

    alpha_table: float = 8.0  # 1/s; links to the table
    alpha_obstacle: float = 5.0  # 1/s; links to obstacles
    alpha_self: float = 5.0  # 1/s; links to one another
    alpha_walls: float = 8.0  # 1/s; the gripper's tip to the faces of the workspace and to the floor
    margin_table: float = 0.0015  # m
    margin_obstacle: float = 0.01  # m
    margin_self: float = 0.005  # m
    margin_walls: float = 0.005  # m
    obstacles: tuple[Obstacle, ...] = ()

    def __post_init__(self) -> None:
        """Check signs and that no two obstacles share a name."""
        for name in CONSTRAINTS:
            alpha, margin = self.alpha(name), self.margin(name)
            if alpha <= 0:
                raise ValueError(f"alpha_{name}: expected a rate above 0 per second, got {alpha}.")
            if margin < 0:
                raise ValueError(f"margin_{name}: expected at least 0 m, got {margin}.")
        names = [obstacle.name for obstacle in self.obstacles]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"obstacles: {', '.join(twice)} is given twice; names must differ.")

    def alpha(self, constraint: str) -> float:
        """Return the rate of a constraint, 1/s."""
        return float(getattr(self, f"alpha_{constraint}"))

    def margin(self, constraint: str) -> float:
        """Return the margin of a constraint, m."""
        return float(getattr(self, f"margin_{constraint}"))


def alpha_fault(name: str, alpha: float, period: float) -> str | None:
    """Return what is wrong with a rate at a control period of `period` s, or None."""
    if not 0 < alpha * period <= 1 + 1e-9:  # false for what is not a number, too
        return (
            f"{name}: got {alpha:g} per second; expected a rate above 0 and at most {1 / period:g}, beyond "
            f"which a distance could change its sign within one control period of {period:g} s."
        )
    return None
