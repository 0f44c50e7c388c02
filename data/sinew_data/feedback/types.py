"""The kinds of feedback, each with who gave it, when, and about which part of which episode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Source = Literal["person", "vlm", "script"]


@dataclass(frozen=True, slots=True)
class Clip:
    """A part of an episode: the control periods with stamps from `start` to `end`, both included.

    Stamps are ns of the station's clock in that episode. By default it is the whole episode.
    """

    episode: str  # the episode's name in its dataset
    start: int = 0  # ns
    end: int | None = None  # ns; None: the episode's end

    def __post_init__(self) -> None:
        """Check the order."""
        if not self.episode:
            raise ValueError("clip: expected the name of an episode, got an empty one.")
        if self.end is not None and self.end < self.start:
            raise ValueError(
                f"clip of {self.episode}: its end {self.end} lies before its start {self.start}."
            )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Which of two clips is better."""

    first: Clip
    second: Clip
    preferred: float  # probability that `first` is the better one; 0.5 is a tie
    strength: float = 1.0  # how much it counts, above 0

    def __post_init__(self) -> None:
        """Check the ranges."""
        if not 0.0 <= self.preferred <= 1.0:
            raise ValueError(f"comparison: expected preferred from 0 to 1, got {self.preferred}.")
        if not self.strength > 0.0:
            raise ValueError(f"comparison: expected a strength above 0, got {self.strength}.")

    @property
    def tied(self) -> bool:
        """Whether neither is better."""
        return self.preferred == 0.5


@dataclass(frozen=True, slots=True)
class Ranking:
    """Several clips, the best first."""

    clips: tuple[Clip, ...]

    def __post_init__(self) -> None:
        """Check that there is something to rank."""
        if len(self.clips) < 2:
            raise ValueError(f"ranking: expected at least two clips, got {len(self.clips)}.")


@dataclass(frozen=True, slots=True)
class Triplet:
    """Of three clips, the two that are most alike (Bobu et al. 2023, SIRL)."""

    alike: tuple[Clip, Clip]
    other: Clip


@dataclass(frozen=True, slots=True)
class Rating:
    """How good a clip is."""

    clip: Clip
    score: float  # 0 to 1

    def __post_init__(self) -> None:
        """Check the range."""
        if not 0.0 <= self.score <= 1.0:
            raise ValueError(f"rating: expected a score from 0 to 1, got {self.score}.")


@dataclass(frozen=True, slots=True)
class Mark:
    """Whether a clip shows the task done."""

    clip: Clip
    success: bool


@dataclass(frozen=True, slots=True)
class Takeover:
    """A clip in which a person drove because the policy did not do."""

    clip: Clip


@dataclass(frozen=True, slots=True)
class Stop:
    """A clip at whose end somebody stopped the robot."""

    clip: Clip
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Sentence:
    """What somebody said, about a clip or in general."""

    text: str
    clip: Clip | None = None

    def __post_init__(self) -> None:
        """Check that something was said."""
        if not self.text.strip():
            raise ValueError("sentence: expected some words, got none.")


@dataclass(frozen=True, slots=True)
class Factor:
    """A feature that matters, and which way."""

    name: str  # of a feature, summed or averaged over a clip
    better: Literal["more", "less"] = "more"
    margin: float = 0.0  # difference, in standard deviations of the factor over clips, that decides

    def __post_init__(self) -> None:
        """Check the sign."""
        if self.margin < 0:
            raise ValueError(f"factor {self.name}: expected a margin of at least 0, got {self.margin}.")


@dataclass(frozen=True, slots=True)
class FactorRanking:
    """What matters, the most important first (Bukharin et al. 2023, HERON)."""

    factors: tuple[Factor, ...]

    def __post_init__(self) -> None:
        """Check that something matters, and nothing twice."""
        names = [factor.name for factor in self.factors]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"factor ranking: expected different factors, at least one, got {names}.")


Said = Comparison | Ranking | Triplet | Rating | Mark | Takeover | Stop | Sentence | FactorRanking
KINDS: dict[str, type[Said]] = {
    "comparison": Comparison,
    "ranking": Ranking,
    "triplet": Triplet,
    "rating": Rating,
    "mark": Mark,
    "takeover": Takeover,
    "stop": Stop,
    "sentence": Sentence,
    "factors": FactorRanking,
}


@dataclass(frozen=True, slots=True)
class Feedback:
    """One entry of the log."""

    said: Said
    who: str  # the person, model or script, so that operators can be told apart
    when: int  # ns since 1970
    source: Source
    id: str  # unique; two entries with one id are one entry

    @property
    def kind(self) -> str:
        """Which kind of feedback it is, as the log names it."""
        return next(name for name, cls in KINDS.items() if type(self.said) is cls)

    def clips(self) -> tuple[Clip, ...]:
        """Return the clips that it is about."""
        match self.said:
            case Comparison(first, second):
                return first, second
            case Ranking(clips):
                return clips
            case Triplet(alike, other):
                return (*alike, other)
            case Sentence(clip=None) | FactorRanking():
                return ()
            case said:
                assert said.clip is not None
                return (said.clip,)
