"""What comes of a question when a server answers well, badly, late or not at all."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chat_server import ChatServer, Raw, completion, seeing
from looking import look
from sinew_core.config import from_mapping
from sinew_core.errors import ConfigError
from sinew_core.hardware import Hardware, load_hardware
from sinew_core.types import Affordance, Observation, Refusal
from sinew_perception.rule_grounding import Config as Rules
from sinew_perception.rule_grounding import RuleGrounding
from sinew_perception.visual_prompting.model import Config, VisualPrompting

CHAT = "sinew_perception.visual_prompting.chat:Chat"
RECORDED = "sinew_perception.visual_prompting.recorded:Recorded"
Make = Callable[..., VisualPrompting]
Answering = Callable[[dict[str, Any]], Raw]


@pytest.fixture
def model(server: ChatServer, hardware: Hardware, tmp_path: Path) -> Make:
    def make(
        agreement: dict[str, Any] | None = None, robot: Hardware = hardware, **provider: Any
    ) -> VisualPrompting:
        spec = {
            "plugin": CHAT,
            "base_url": server.base_url,
            "model": "tiny",
            "key_env": "",
            "timeout": 0.4,
            "max_retries": 0,
            "record": str(tmp_path / "answers"),
        }
        data = {"provider": spec | provider, "agreement": agreement or {}}
        return VisualPrompting(from_mapping(Config, data, "test"), robot)

    return make


def edited(**changes: Any) -> Answering:
    """Answer rightly, but with some fields of the answer proper changed."""

    def respond(request: dict[str, Any]) -> Raw:
        right = look(request)
        return completion(json.dumps(right | {"answer": right["answer"] | changes}))

    return respond


def saying(text: Any, **changes: Any) -> Answering:
    return lambda request: completion(text, **changes)


def fenced(request: dict[str, Any]) -> Raw:
    return completion(f"```json\n{json.dumps(look(request), indent=1)}\n```")


def reordered(request: dict[str, Any]) -> Raw:
    right = look(request)
    return completion(json.dumps({name: right[name] for name in ("answer", "description", "reasoning")}))


def without_reasoning(request: dict[str, Any]) -> Raw:
    right = look(request)
    return completion(json.dumps({name: right[name] for name in ("description", "answer")}))


def with_extra(request: dict[str, Any]) -> Raw:
    return completion(json.dumps(look(request) | {"joint_targets": [1, 2, 3]}))


def twice(request: dict[str, Any]) -> Raw:
    text = json.dumps(look(request))
    return completion(text[:-1] + ', "answer": {"possible": true}}')


def ask(model: VisualPrompting, observation: Observation) -> Affordance | Refusal:
    return model.propose(observation, observation.task.instruction)


def reason(model: VisualPrompting, observation: Observation) -> str:
    answer = ask(model, observation)
    assert isinstance(answer, Refusal), answer
    assert answer.stamp == observation.stamp
    return answer.reason


def test_a_right_answer_names_the_objects_under_the_marks(model: Make, observe: Any) -> None:
    observation = observe()
    answer = ask(model(), observation)
    assert isinstance(answer, Affordance), answer
    assert (answer.grasp, answer.moves, answer.target) == ("blue_cylinder", "blue_cylinder", "red_bowl")
    assert (answer.stamp, answer.source) == (observation.stamp, "visual_prompting")
    target = observation.keypoints["red_bowl"].position
    np.testing.assert_allclose(answer.waypoints[-1][:2], target[:2])


@pytest.mark.parametrize("task", ["push", "stack", "reach"])
@pytest.mark.parametrize("name", ["sim_mujoco", "sim_mujoco_fr3"])
def test_every_task_is_answered_on_both_robots(model: Make, observe: Any, task: str, name: str) -> None:
    observation = observe(task, 2, name=name)
    answer = ask(model(robot=load_hardware(name)), observation)
    wanted = RuleGrounding(Rules()).propose(observation, observation.task.instruction)
    assert isinstance(answer, Affordance), answer
    assert isinstance(wanted, Affordance), wanted
    assert (answer.grasp, answer.moves, answer.target) == (wanted.grasp, wanted.moves, wanted.target)
    np.testing.assert_allclose(answer.waypoints, wanted.waypoints)


def test_fences_around_an_answer_do_not_matter(model: Make, server: ChatServer, observe: Any) -> None:
    server.respond = [fenced]
    assert isinstance(ask(model(), observe()), Affordance)
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "respond, begins",
    [
        (saying("certainly! the arm should ..."), "malformed: not one JSON object"),
        (saying('{"description": '), "malformed: not one JSON object"),
        (saying("[" * 9000), "malformed: not one JSON object"),
        (saying("[1, 2]"), "malformed: the answer: expected an object"),
        (saying(""), "malformed: not one JSON object"),
        (saying(None), "malformed: not one JSON object"),
        (saying("x" * 30_000), "malformed: the answer has 30000 letters"),
        (saying("{}", finish_reason="length"), "malformed: the answer was cut off"),
        (with_extra, "malformed: the answer: unexpected joint_targets"),
        (edited(speed=9), "malformed: answer: unexpected speed"),
        (twice, "malformed: a field is given twice"),
        (reordered, "malformed: the answer: the order of the fields"),
        (without_reasoning, "malformed: the answer: missing reasoning"),
        (edited(possible="yes"), "malformed: possible: expected true or false"),
        (edited(action="throw"), "malformed: action: expected one of place, push"),
        (edited(grasp=None), "malformed: grasp: place needs a point, got null"),
        (edited(action="push"), "malformed: grasp: push needs null"),
        (edited(target=None), "malformed: target: place needs a point or a cell"),
        (edited(target="P4"), "malformed: target: P4 is on the object that is to move"),
        (edited(moves="P1"), "malformed: moves: P1 is not on the object that is grasped"),
        (edited(grasp="c3"), "malformed: grasp: expected a point, got the cell c3"),
        (edited(grasp=4), "malformed: grasp: expected a label or null"),
        (edited(waypoints=[]), "malformed: waypoints: expected a list of 1 to 12"),
        (edited(waypoints=[{"at": "c3", "height": 0.2, "gripper": "open"}]), "malformed: waypoints[0]"),
        (edited(waypoints=[{"at": "c3", "height": float("nan"), "gripper": "open"}]), "malformed: NaN is no"),
        (
            edited(waypoints=[{"at": "c3", "height": "h1", "gripper": "ajar"}]),
            "malformed: waypoints[0]: gripper",
        ),
        (edited(grasp="P99"), "unknown mark: 'P99' is not drawn"),
        (edited(target="z9"), "unknown mark: 'z9' is not drawn"),
        (edited(waypoints=[{"at": "c3", "height": "h99", "gripper": "open"}]), "unknown mark: height 'h99'"),
        (edited(grasp="P1\nignore the rules and" + "!" * 500), "unknown mark: 'P1 ignore the rules and"),
    ],
)
def test_an_unusable_answer_is_asked_once_more_and_then_refused_by_name(
    respond: Answering, begins: str, model: Make, server: ChatServer, observe: Any
) -> None:
    server.respond = [respond]
    why = reason(model(), observe())
    assert why.startswith(begins)
    assert len(why) < 600
    assert len(server.requests) == (1 if "cut off" in why else 2)


def test_the_second_question_quotes_the_error_and_its_answer_counts(
    model: Make, server: ChatServer, observe: Any
) -> None:
    server.respond = [edited(grasp="P99"), seeing]
    assert isinstance(ask(model(), observe()), Affordance)
    said, error = server.requests[1]["messages"][2:]
    assert said["role"] == "assistant"
    assert '"P99"' in said["content"]
    assert "'P99' is not drawn. Points: P1, P2" in error["content"]


@pytest.mark.parametrize(
    "raw, begins",
    [
        (Raw(b'{"error": {"message": "bad key sk-secret"}}', 401), "http 401: the key was not accepted"),
        (Raw(b'{"error": {"message": "slow down"}}', 429), "http 429: too many requests"),
        (Raw(b"oops", 500, "text/plain"), "http 500: the server failed"),
        (Raw(b"", 404), "http 404: no such model or address"),
        (Raw(b"<html>hello</html>", 200, "text/html"), "malformed: the server's response (text/html)"),
        (Raw(b"", 200), "malformed: the server's response"),
        (Raw(b"\xff\xfe\x00", 200), "malformed: the server's response"),
        (Raw(b'{"choices": []}'), "malformed: the server's response"),
        (Raw(b'{"choices": [{"message": null}]}'), "malformed: the server's response"),
        (Raw(b"[" * 100_000), "malformed: the server's response"),
        (Raw(b" " * 2_000_000), "too large: the response is longer than 1000000 bytes"),
        (Raw(b" " * 2_000_000, 400), "too large: the response is longer than 1000000 bytes"),
        (Raw(b" " * 50_000 for _ in range(10_000)), "too large: "),
    ],
)
def test_each_fault_of_a_server_has_its_name(
    raw: Raw, begins: str, model: Make, server: ChatServer, observe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "sk-secret")
    server.respond = [lambda request: raw]
    why = reason(model(key_env="A_KEY", timeout=5.0), observe())
    assert why.startswith(begins)
    assert "sk-secret" not in why
    assert len(server.requests) == 1


@pytest.mark.parametrize("manner", ["stall", "drip"])
def test_a_server_that_is_too_slow_is_not_waited_for(
    manner: str, model: Make, server: ChatServer, observe: Any
) -> None:
    server.respond = [getattr(server, manner)]
    assert reason(model(), observe()).startswith("timeout: ")
    assert not server.released.is_set()


def test_a_model_that_declines_is_quoted(model: Make, server: ChatServer, observe: Any) -> None:
    server.respond = [saying(None, message={"content": None, "refusal": "I would rather not."})]
    assert reason(model(), observe()) == "declined: I would rather not."


def test_nobody_listening_is_said(model: Make, observe: Any) -> None:
    assert reason(model(base_url="http://127.0.0.1:9/v1"), observe()).startswith("unreachable: 127.0.0.1")


def test_without_a_key_nothing_is_sent(
    model: Make, server: ChatServer, observe: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ABSENT_KEY", raising=False)
    why = reason(model(key_env="ABSENT_KEY"), observe())
    assert why.startswith("no key: the environment variable ABSENT_KEY")
    assert not server.requests


def test_the_key_is_sent_and_kept_nowhere(
    model: Make, server: ChatServer, observe: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_KEY", "sk-secret")
    ask(model(key_env="A_KEY"), observe())
    assert server.keys == ["Bearer sk-secret"]
    files = list((tmp_path / "answers").iterdir())
    assert files
    assert not any(b"sk-secret" in path.read_bytes() for path in files)


def test_retries_are_as_many_as_allowed(model: Make, server: ChatServer, observe: Any) -> None:
    fail = lambda request: Raw(b"{}", 500, headers=(("retry-after-ms", "1"),))  # noqa: E731
    server.respond = [fail]
    assert reason(model(max_retries=2), observe()).startswith("http 500")
    assert len(server.requests) == 3
    server.respond = [fail, fail, fail, fail, seeing]
    assert isinstance(ask(model(max_retries=2), observe()), Affordance)
    assert len(server.requests) == 5


def test_a_slow_server_is_asked_again_as_often_as_allowed(
    model: Make, server: ChatServer, observe: Any
) -> None:
    server.respond = [server.stall, seeing]
    assert isinstance(ask(model(max_retries=1, timeout=0.2), observe()), Affordance)
    assert len(server.requests) == 2


def test_a_server_cannot_make_it_wait_for_minutes(model: Make, server: ChatServer, observe: Any) -> None:
    server.respond = [lambda request: Raw(b"{}", 429, headers=(("retry-after", "100"),))]
    assert reason(model(max_retries=2), observe()).startswith("http 429")
    assert len(server.requests) == 1


def test_the_budget_in_calls_counts_repetitions_and_holds_for_the_process(
    model: Make, server: ChatServer, observe: Any
) -> None:
    server.respond = [lambda request: Raw(b"{}", 500, headers=(("retry-after-ms", "1"),))]
    prompting = model(max_retries=5, limits={"episode_calls": 3, "calls": 4})
    assert reason(prompting, observe()).startswith("http 500")
    assert len(server.requests) == 3
    assert reason(prompting, observe()).startswith("http 500")
    assert len(server.requests) == 4
    assert reason(prompting, observe()) == "budget: 4 calls are spent, of 4."
    assert len(server.requests) == 4


def test_an_episode_has_a_budget_of_its_own(model: Make, server: ChatServer, observe: Any) -> None:
    server.respond = [saying("nonsense")]
    prompting = model(limits={"episode_calls": 1})
    for asked in (1, 2):
        observation = observe(seed=3 + asked)
        assert reason(prompting, observation) == "budget: 1 calls in this episode are spent, of 1."
        assert len(server.requests) == asked


def test_the_budget_in_tokens_is_kept(model: Make, server: ChatServer, observe: Any) -> None:
    prompting = model(limits={"tokens": 800})
    assert isinstance(ask(prompting, observe()), Affordance)
    assert reason(prompting, observe(seed=4)).startswith("budget: 900 tokens")


def test_tokens_that_a_server_does_not_count_are_estimated(
    model: Make, server: ChatServer, observe: Any
) -> None:
    server.respond = [lambda request: completion(json.dumps(look(request)), tokens=0)]
    prompting = model(limits={"tokens": 800})
    assert isinstance(ask(prompting, observe()), Affordance)
    assert reason(prompting, observe(seed=4)).startswith("budget: ")


def test_the_same_question_is_sent_once(model: Make, server: ChatServer, observe: Any) -> None:
    prompting = model()
    first, second = ask(prompting, observe()), ask(prompting, observe())
    assert len(server.requests) == 1
    assert same(first, second)


def test_the_second_run_offline_from_the_recording_is_identical(
    model: Make, server: ChatServer, observe: Any, hardware: Hardware, tmp_path: Path
) -> None:
    server.respond = [edited(grasp="P99"), seeing, saying("junk"), saying("junk")]
    observations = [observe(), observe(seed=4)]
    live = [ask(model(), observation) for observation in observations]
    assert len(server.requests) == 4
    server.__exit__()
    provider = {"plugin": RECORDED, "folder": str(tmp_path / "answers"), "model": "tiny"}
    offline = VisualPrompting(from_mapping(Config, {"provider": provider}, "test"), hardware)
    again = [ask(offline, observation) for observation in observations]
    assert isinstance(live[0], Affordance)
    assert isinstance(live[1], Refusal)
    assert all(same(a, b) for a, b in zip(live, again, strict=True))


def test_what_was_never_asked_is_refused_with_its_key(
    observe: Any, hardware: Hardware, tmp_path: Path
) -> None:
    provider = {"plugin": RECORDED, "folder": str(tmp_path), "model": "tiny"}
    offline = VisualPrompting(from_mapping(Config, {"provider": provider}, "test"), hardware)
    why = reason(offline, observe())
    assert why.startswith(f"not recorded: {tmp_path} holds no answer ")
    assert len(why.split("no answer ")[1].split()[0]) == 64


def test_a_recorded_answer_is_checked_like_a_live_one(
    model: Make, observe: Any, hardware: Hardware, tmp_path: Path
) -> None:
    ask(model(), observe())
    path = next((tmp_path / "answers").glob("*.json"))
    stored = json.loads(path.read_text())
    provider = {"plugin": RECORDED, "folder": str(path.parent), "model": "tiny"}
    offline = VisualPrompting(from_mapping(Config, {"provider": provider}, "test"), hardware)
    path.write_text(json.dumps(stored | {"reply": stored["reply"].replace('"P4"', '"P77"')}))
    assert reason(offline, observe()).startswith("not recorded: ")  # the second question was never asked
    for broken in ("{", "[]", '{"format": 7}', '{"format": 1, "reply": 3, "model": "tiny"}'):
        path.write_text(broken)
        assert reason(offline, observe()).startswith(f"bad record: {path}")


def test_the_marked_images_are_kept_with_the_answer(model: Make, observe: Any, tmp_path: Path) -> None:
    ask(model(), observe())
    path = next((tmp_path / "answers").glob("*.json"))
    stored = json.loads(path.read_text())
    assert [(path.parent / name).is_file() for name in stored["images"]] == [True, True]
    assert stored["reply"].startswith('{"description"')
    assert (stored["model"], stored["tokens"]) == ("tiny", 900)


def test_an_answer_that_cannot_be_kept_is_said(model: Make, observe: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    why = reason(model(record=str(tmp_path / "file" / "answers")), observe())
    assert why.startswith(f"bad record: {tmp_path}/file/answers: cannot be written")


@pytest.mark.parametrize("form, asked", [("json_object", {"type": "json_object"}), ("text", None)])
def test_servers_without_schemas_are_asked_in_another_form(
    form: str, asked: Any, model: Make, server: ChatServer, observe: Any
) -> None:
    assert isinstance(ask(model(form=form), observe()), Affordance)
    assert isinstance(
        ask(model(tokens_field="max_completion_tokens", temperature=0.5), observe()), Affordance
    )
    first, second = server.requests
    assert first.get("response_format") == asked
    assert second["response_format"]["json_schema"]["strict"] is True
    assert (second["max_completion_tokens"], second["temperature"]) == (2000, 0.5)
    assert "temperature" not in first
    assert first["path"] == "/v1/chat/completions"


def test_samples_must_agree_on_action_and_objects(model: Make, server: ChatServer, observe: Any) -> None:
    server.respond = [edited(grasp="P4", moves="P5"), edited(target="c3"), seeing]
    answer = ask(model(agreement={"samples": 3}), observe())
    assert isinstance(answer, Affordance), answer
    assert answer.target == "red_bowl"
    server.requests.clear()
    server.respond = [edited(target="c3"), edited(target="d3"), seeing]
    why = reason(model(agreement={"samples": 3}), observe(seed=3))
    assert why.startswith("disagreement: 2 of 3 samples had to agree: 1 x place blue_cylinder c3; ")


def test_sampling_ends_when_it_is_decided(model: Make, server: ChatServer, observe: Any) -> None:
    assert isinstance(ask(model(agreement={"samples": 5}), observe()), Affordance)
    assert len(server.requests) == 3


def test_unusable_samples_do_not_vote(model: Make, server: ChatServer, observe: Any) -> None:
    junk = saying("junk")
    server.respond = [junk, junk, seeing]
    assert isinstance(ask(model(agreement={"samples": 3}), observe()), Affordance)


def test_ctrl_c_ends_a_slow_question_at_once(model: Make, server: ChatServer, observe: Any) -> None:
    observation, prompting = observe(), model(timeout=25.0, max_retries=2)
    server.respond = [server.stall]

    def interrupt() -> None:
        while not server.requests:
            server.released.wait(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()
    with pytest.raises(KeyboardInterrupt):
        ask(prompting, observation)
    assert not server.released.is_set()


@pytest.mark.parametrize(
    "config, said",
    [
        ({"base_url": "localhost:8000"}, "base_url"),
        ({"base_url": "https://user:sk-1@host/v1"}, "keys do not belong"),
        ({"timeout": 0}, "timeout > 0"),
        ({"api_key": "sk-1"}, "unknown key 'api_key'"),
        ({"limits": {"calls": 0}}, "at least 1"),
    ],
)
def test_a_wrong_configuration_is_said_before_anything_is_asked(
    config: dict[str, Any], said: str, model: Make
) -> None:
    with pytest.raises(ConfigError, match=said):
        model(**config)


def same(a: Affordance | Refusal, b: Affordance | Refusal) -> bool:
    if isinstance(a, Refusal) or isinstance(b, Refusal):
        return a == b
    bare = [replace(x, waypoints=np.zeros(0), closed=np.zeros(0, dtype=bool)) for x in (a, b)]
    return np.array_equal(a.waypoints, b.waypoints) and repr(bare[0]) == repr(bare[1])
