"""ask an affordance model about an image, and see its answer as a picture"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
from rich.console import Console
from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError, InferenceError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.models import make_affordance
from sinew_core.protocols import AffordanceModel
from sinew_core.runtime import guarded
from sinew_core.types import Affordance, FloatArray, ImageArray, Observation, Refusal

from sinew_perception.affordance_command_inputs import Files, observe_files, observe_scene
from sinew_perception.drawing.canvas import Canvas
from sinew_perception.visual_prompting.answer import Answer
from sinew_perception.visual_prompting.faults import Fault, quoted
from sinew_perception.visual_prompting.marks import MarkConfig, make_marks
from sinew_perception.visual_prompting.model import Asked, Config, VisualPrompting
from sinew_perception.visual_prompting.picture import add_captions, draw_answer, draw_marks, name_place
from sinew_perception.visual_prompting.recording import FOLDER, MODEL

PLUGINS = {
    "chat": "sinew_perception.visual_prompting.chat:Chat",
    "recorded": "sinew_perception.visual_prompting.recorded:Recorded",
}
SHORT = {"rules": "rule_grounding"}


def main(argv: Sequence[str]) -> int:
    """Run `sinew affordance ask|marks`: 0 with an answer, 1 with a refusal, 2 for a wrong input."""
    arguments = _parser().parse_args(argv)
    run = {"ask": _ask, "marks": _marks}[arguments.verb]
    return run(arguments, Console(highlight=False, soft_wrap=True))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="sinew affordance", description=__doc__)
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="ask|marks")
    ask = verbs.add_parser(
        "ask",
        help="ask a model a sentence about an image",
        usage='sinew affordance ask IMAGE "sentence" [options]\n'
        '       sinew affordance ask ["sentence"] --task TASK --seed N [options]',
        description="Ask an affordance model about an image or a simulated scene.",
        epilog="Exit code: 0 with an answer, 1 with a refusal, 2 for a wrong input.",
    )
    ask.add_argument(
        "words", nargs="*", metavar='[IMAGE] "sentence"', help="IMAGE: of the top camera, PNG or JPEG"
    )
    ask.add_argument(
        "--provider",
        default="rules",
        help="rules, chat, recorded, sinew_ground, or any affordance model: name, module:Class, YAML file",
    )
    ask.add_argument("--base-url", help="of a chat-completions server (chat)")
    ask.add_argument("--model", default=MODEL, help=f"of chat and recorded ({MODEL})")
    ask.add_argument("--key-env", help="environment variable that holds the key; '' sends none (chat)")
    ask.add_argument(
        "--samples", type=int, default=1, metavar="N", help="answers to take a vote of (chat, recorded)"
    )
    ask.add_argument(
        "--answers", type=Path, default=FOLDER, metavar="DIR", help=f"where answers are kept ({FOLDER})"
    )
    ask.add_argument("--json", action="store_true", help="print one JSON object")
    marks = verbs.add_parser(
        "marks",
        help="draw the marks that a vision-language model would be shown",
        usage="sinew affordance marks IMAGE [options]\n"
        "       sinew affordance marks --task TASK --seed N [options]",
    )
    marks.add_argument("words", nargs="*", metavar="[IMAGE]")
    for verb in (ask, marks):
        _add_inputs(verb)
    return parser


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--hardware", default="sim_mujoco", help="whose calibration, or which simulation")
    parser.add_argument("--depth", type=Path, metavar="FILE", help="depth of IMAGE: 16-bit PNG, mm")
    parser.add_argument("--side", type=Path, metavar="FILE", help="image of the side camera")
    parser.add_argument("--task", help="render a scene of this task instead of reading an IMAGE")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--scene", default="", metavar="SENTENCE", help="lay the scene out for this sentence")
    parser.add_argument(
        "--out", type=Path, default=Path("affordance.png"), metavar="FILE", help="the picture"
    )


def _ask(arguments: argparse.Namespace, console: Console) -> int:
    hardware = load_hardware(arguments.hardware).with_pace("lockstep")
    observation = _observe(arguments, hardware, sentences=1)
    model = _make_model(arguments, hardware)
    sentence = observation.task.instruction
    try:
        with Console(stderr=True).status(f"asking {arguments.provider} ..."):
            answer = guarded(model, model.propose, observation, sentence)
    except InferenceError as error:
        console.print(f"sinew affordance: {error}", markup=False)
        return 1
    last = getattr(model, "last", None)
    chosen = last.answer if isinstance(last, Asked) else None
    _write(arguments.out, _picture(hardware, observation, answer, chosen))
    if arguments.json:
        print(json.dumps(_plain(answer) | {"picture": str(arguments.out)}), flush=True)
    else:
        _print(console, observation, answer, chosen, arguments.out)
    return 1 if isinstance(answer, Refusal) else 0


def _marks(arguments: argparse.Namespace, console: Console) -> int:
    hardware = load_hardware(arguments.hardware).with_pace("lockstep")
    observation = _observe(arguments, hardware, sentences=0)
    config = MarkConfig()
    try:
        marks = make_marks(config, hardware, observation)
    except Fault as fault:
        console.print(f"sinew affordance: {fault}", markup=False)
        return 1
    _write(arguments.out, draw_marks(marks, config.width))
    for name, group in marks.by_object().items():
        places = "  ".join(f"{item.label} {name_place(item.point)}" for item in group)
        console.print(f"{name}: {places}", markup=False)
    console.print(f"picture: {arguments.out.resolve()}", markup=False)
    return 0


def _observe(arguments: argparse.Namespace, hardware: Hardware, *, sentences: int) -> Observation:
    """Return what the command is about; with `sentences` 1, the last word is one."""
    words: list[str] = arguments.words
    if arguments.task is not None:
        if len(words) > sentences or arguments.depth or arguments.side:
            raise ConfigError("an IMAGE, --depth or --side cannot go with --task, which renders its own.")
        sentence = words[0] if words else ""
        if words and not sentence.strip():
            raise ConfigError(
                "the sentence is empty; say what is to be done, or leave it out for the task's own."
            )
        return observe_scene(hardware, arguments.task, arguments.seed, arguments.scene, sentence)
    if len(words) != 1 + sentences:
        wanted = 'an IMAGE and a "sentence"' if sentences else "one IMAGE"
        raise ConfigError(f"expected {wanted}, or --task to render a scene; got {len(words)} arguments.")
    files = Files(Path(words[0]), arguments.depth, arguments.side)
    return observe_files(hardware, files, words[1] if sentences else "")


def _make_model(arguments: argparse.Namespace, hardware: Hardware) -> AffordanceModel:
    name = arguments.provider
    if name not in PLUGINS:
        return make_affordance(SHORT.get(name, name), hardware, arguments.task or "")
    provider: dict[str, Any] = {"plugin": PLUGINS[name], "model": arguments.model}
    if name == "recorded":
        provider["folder"] = arguments.answers
    else:
        given = {"base_url": arguments.base_url, "key_env": arguments.key_env}
        provider |= {key: value for key, value in given.items() if value is not None}
        provider["record"] = arguments.answers
    data = {"provider": provider, "agreement": {"samples": arguments.samples}}
    return VisualPrompting(from_mapping(Config, data, f"--provider {name}"), hardware)


def _picture(
    hardware: Hardware, observation: Observation, answer: Affordance | Refusal, chosen: Answer | None
) -> ImageArray:
    config = MarkConfig()
    try:
        marks = make_marks(config, hardware, observation)
    except Fault:  # nothing to mark; then the images as they are
        frame = next(iter(observation.frames.values()))
        return add_captions(Canvas(frame.rgb, config.width).image, answer)
    return draw_answer(marks, observation, answer, config.width, chosen)


def _print(
    console: Console,
    observation: Observation,
    answer: Affordance | Refusal,
    chosen: Answer | None,
    out: Path,
) -> None:
    lines = [
        f"asked: {answer.instruction}",
        f"seen: {', '.join(sorted(observation.keypoints)) or 'nothing'}",
    ]
    if all(frame.depth is None for frame in observation.frames.values()):
        lines.append("without --depth, what is coloured is taken to lie flat on the table")
    if chosen is not None:
        lines.append(f"described: {quoted(chosen.description, 1000)}")
        lines.append(f"reasoned: {quoted(chosen.reasoning, 1000)}")
    if isinstance(answer, Refusal):
        lines.append(f"refused: {answer.reason}")
    else:
        grasp, target = name_place(answer.grasp), name_place(answer.target)
        lines.append(f"grasp: {grasp}; moves: {answer.moves or 'nothing'}; target: {target}")
        for point, closed in zip(answer.waypoints, answer.closed, strict=True):
            lines.append(f"  to {name_place(point)}, gripper {'closed' if closed else 'open'}")
    lines.append(f"picture: {out.resolve()}")
    console.print("\n".join(lines), markup=False)


def _plain(answer: Affordance | Refusal) -> dict[str, Any]:
    """Return an answer as plain data."""
    if isinstance(answer, Refusal):
        return {"refused": answer.reason, "saw": [*answer.saw], "source": answer.source}
    return {
        "grasp": _plain_place(answer.grasp),
        "moves": answer.moves,
        "target": _plain_place(answer.target),
        "waypoints": answer.waypoints.tolist(),
        "closed": answer.closed.tolist(),
        "source": answer.source,
    }


def _plain_place(where: str | FloatArray | None) -> Any:
    return where if where is None or isinstance(where, str) else where.tolist()


def _write(path: Path, image: ImageArray) -> None:
    suffix = path.suffix.lower()
    if suffix not in (".png", ".jpg", ".jpeg"):
        raise ConfigError(f"--out {path}: expected a name that ends in .png or .jpg.")
    done, data = cv2.imencode(suffix, cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    assert done
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise ConfigError(f"--out {path}: cannot be written ({error.strerror}).") from error
