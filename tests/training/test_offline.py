import pytest
from sinew_core.errors import ConfigError
from tiny_training import small

TINY = {
    "cloning": {"plugin": "sinew_policies.agents.cloning:Cloning", "hidden": [16]},
    "iql": {"plugin": "sinew_policies.agents.iql:Iql", "hidden": [16]},
}


@pytest.mark.parametrize("name", TINY)
def test_an_agent_learns_from_demonstrations_alone_and_leaves_a_policy(open_trainer, tmp_path, name):
    trainer = open_trainer("run", small(agent=TINY[name], offline=True, steps=60, evaluate_every=60))
    trainer.train()
    assert trainer.counters.episodes == 0
    assert trainer.learning.updates == 60
    assert (tmp_path / "run/policy.safetensors").is_file()


def test_offline_learning_without_demonstrations_is_refused(open_trainer):
    with pytest.raises(ConfigError, match="wants demonstrations"):
        open_trainer("run", small(offline=True, demonstrations=0))
