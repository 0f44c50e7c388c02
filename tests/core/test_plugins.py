import sys
from types import ModuleType

import pytest
from sinew_core.errors import ConfigError
from sinew_core.plugins import build, camel_case, plugin_spec, short_names
from sinew_core.protocols import Policy

SOURCE = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Config:
    gain: float = 1.0

class Good:
    def __init__(self, config: Config, hardware):
        self.config, self.hardware = config, hardware
    def reset(self, task): ...
    def infer(self, observation): ...

class Plain:
    def reset(self, task): ...
    def infer(self, observation): ...

class NoInfer:
    def reset(self, task): ...
"""


@pytest.fixture
def module(tmp_path, monkeypatch):
    (tmp_path / "my_policies").mkdir()
    (tmp_path / "my_policies" / "__init__.py").write_text("")
    (tmp_path / "my_policies" / "good.py").write_text(SOURCE)
    (tmp_path / "my_policies" / "needs.py").write_text(
        "import a_module_that_is_not_there\n\nclass Needs: ...\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield ModuleType("my_policies")
    for name in [name for name in sys.modules if name.startswith("my_policies")]:
        del sys.modules[name]


def test_fields_and_context_reach_the_constructor(module):
    policy = build({"plugin": "my_policies.good:Good", "gain": 2}, Policy, "here", hardware="h", robot="r")
    assert (policy.config.gain, policy.hardware) == (2.0, "h")


def test_a_short_name_is_a_module_of_the_package(module):
    assert plugin_spec("good", "my_policies", "policy") == {"plugin": "my_policies.good:Good"}
    assert short_names("my_policies") == ["good", "needs"]
    assert camel_case("affordance_path") == "AffordancePath"


def test_a_yaml_file_is_a_spec(tmp_path):
    (tmp_path / "p.yaml").write_text("plugin: 'a.b:C'\ngain: 3\n")
    assert plugin_spec(str(tmp_path / "p.yaml"), "x", "policy") == {"plugin": "a.b:C", "gain": 3}


@pytest.mark.parametrize(
    ("spec", "sentence"),
    [
        ({"plugin": "my_policies.goood:Good"}, "Did you mean 'good'?"),
        ({"plugin": "my_policies.good:Goood"}, "Did you mean 'Good'?"),
        ({"plugin": "my_policies.good:Good", "gian": 1}, "unknown key 'gian'. Did you mean 'gain'?"),
        ({"plugin": "my_policies.good:NoInfer"}, "is no Policy: it lacks infer"),
        ({"plugin": "my_policies.good:Plain", "gain": 1}, "takes no configuration; remove gain"),
        ({"plugin": "my_policies.needs:Needs"}, "needs the Python module 'a_module_that_is_not_there'"),
        ({"plugin": "nonsense"}, '"module:Class"'),
        ({}, "missing key 'plugin'"),
    ],
)
def test_a_wrong_spec_says_what_is_wrong(module, spec, sentence):
    with pytest.raises(ConfigError) as error:
        build(spec, Policy, "run.yaml: policy", hardware=None)
    assert sentence in str(error.value)
    assert "run.yaml: policy" in str(error.value)


def test_a_context_value_that_is_not_to_be_had_is_named(module):
    with pytest.raises(ConfigError, match="Good wants 'hardware'"):
        build({"plugin": "my_policies.good:Good"}, Policy, "here")


def test_an_unknown_short_name_is_answered_with_the_nearest(module):
    with pytest.raises(ConfigError, match="unknown policy 'goood'. Did you mean 'good'"):
        plugin_spec("goood", "my_policies", "policy")
