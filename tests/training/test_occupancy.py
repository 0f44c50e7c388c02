import numpy as np
import pytest
import torch
from sinew_core.hardware import load_hardware
from sinew_policies.learned.encoding import STATE, KeypointEncoding
from sinew_training.config import TrainConfig
from sinew_training.learning import Learning, open_replay
from sinew_training.occupancy import Occupancy, OccupancyConfig
from sinew_training.transitions import Gathered
from tiny_training import Interrupting, small

HARDWARE = load_hardware("sim_mujoco")
ENCODING = KeypointEncoding(HARDWARE.robot)
QUICK = OccupancyConfig(
    base_episodes=1, kept=64, window=64, updates=2, batch=16, hidden=(8,), learning_rate=0.01
)


BASE = (0.3, 0.25, 0.2, 0.15, 0.05, 0.05)
NOW = (0.05, 0.1, 0.2, 0.25, 0.25, 0.15)
PLACES = np.eye(6)  # observations of six places


def occupancy(**changes):
    fields = {"base_episodes": 0, "hidden": (16,), "learning_rate": 0.01, "batch": 2048, "trim": 0.0}
    return Occupancy(OccupancyConfig(**{**fields, **changes}), 6, seed=0)


def shown(chances, count=400):
    """Return observations of places, exactly as often as their chances say."""
    return np.repeat(PLACES, np.round(np.array(chances) * count).astype(int), axis=0)


def learned(found, updates=300):
    found.take_base(shown(BASE))
    found.take(shown(NOW))
    found.learn(updates)
    for group in found._adam.param_groups:
        group["lr"] /= 10  # so that it settles
    found.learn(updates // 2)
    return found


@pytest.fixture(scope="module")
def fitted():
    """Return tensors and state of a discriminator that has learned."""
    found = learned(occupancy())
    return found.tensors(), found.state()


def loaded(fitted, **changes):
    found = occupancy(**changes)
    found.load(*fitted)
    return found


def test_the_learned_divergence_is_the_exact_one_within_five_percent(fitted):
    exact = sum(now**2 / base for now, base in zip(NOW, BASE, strict=True)) - 1
    assert loaded(fitted).chi2() == pytest.approx(exact, rel=0.05)


def test_the_log_ratio_is_that_of_how_often_both_policies_are_there(fitted):
    wanted = np.log(np.divide(NOW, BASE))
    assert loaded(fitted).log_ratio(PLACES) == pytest.approx(wanted, abs=0.1)


def test_a_place_that_is_visited_more_costs_more_and_one_that_is_visited_less_pays_nothing(fitted):
    price = loaded(fitted).price(PLACES)
    assert price[4] > price[5] > price[3] > 0
    assert (price[:2] == 0).all()


def test_the_price_is_the_gradient_of_the_root_of_the_divergence_or_of_itself(fitted):
    root, plain = loaded(fitted, measure="root_chi2"), loaded(fitted, measure="chi2")
    assert root.price(PLACES) == pytest.approx(plain.price(PLACES) / np.sqrt(plain.chi2()))


def test_where_the_base_policy_never_is_the_price_stays_within_its_clip():
    found = occupancy(measure="chi2", coefficient=0.1, clip=3.0, batch=64)
    found.take_base(shown((1, 0, 0, 0, 0, 0)))
    found.take(shown((0, 0, 0, 0, 0, 1)))
    found.learn(300)
    assert found.price(PLACES)[5] == pytest.approx(0.1 * np.expm1(3.0))


def test_tails_are_left_out_of_the_divergence(fitted):
    assert loaded(fitted, trim=0.26).chi2() < loaded(fitted, trim=0.0).chi2()


def test_while_the_base_policy_acts_nothing_costs():
    found = occupancy(base_episodes=2, batch=64)
    for _ in range(2):
        assert (found.grade(shown(BASE, 100)) == 0).all()
    found.take(shown(NOW))
    found.learn(100)
    assert found.grade(PLACES).max() > 0


def test_part_of_an_episode_does_not_count_as_one_of_the_base_policys():
    found = occupancy(base_episodes=1)
    found.grade(shown(BASE, 100), ends=False)
    assert not found.ready
    found.grade(shown(BASE, 100))
    assert found.ready


def test_of_too_many_observations_of_the_base_policy_some_stay():
    found = occupancy(kept=50)
    found.take_base(shown(BASE))
    assert found.tensors()["base"].shape == (50, 6)


def test_only_the_newest_observations_stand_for_the_present_policy():
    found = occupancy(window=10)
    found.take(np.zeros((30, 6)))
    found.take(np.ones((10, 6)))
    assert torch.equal(found.tensors()["shown"], torch.ones((10, 6)))


def test_one_that_was_loaded_goes_on_bit_by_bit():
    first, second = learned(occupancy(batch=32), 20), occupancy(batch=32, learning_rate=0.001)
    tensors = {name: tensor.clone() for name, tensor in first.tensors().items()}
    second.load(tensors, first.state())
    for each in (first, second):
        each.take(shown(BASE, 100))
        each.learn(5)
    assert (first.price(PLACES) == second.price(PLACES)).all()


def test_one_that_has_learned_nothing_yet_can_be_loaded():
    second = occupancy()
    second.load(occupancy().tensors(), occupancy().state())
    assert second.chi2() == 0.0


@pytest.mark.parametrize(
    ("changes", "named"),
    [({"coefficient": 0.0}, "coefficient"), ({"trim": 0.5}, "trim"), ({"window": 0}, "window")],
)
def test_what_makes_no_sense_is_refused_by_name(changes, named):
    with pytest.raises(ValueError, match=named):
        OccupancyConfig(**changes)


def test_there_is_no_straying_offline():
    with pytest.raises(ValueError, match="offline"):
        TrainConfig(offline=True, occupancy=QUICK)


def test_without_a_base_policy_nothing_can_stray_from_it():
    with pytest.raises(ValueError, match="base_episodes"):
        TrainConfig(demonstrations=0, occupancy=OccupancyConfig(base_episodes=0))


def learning_of(folder, **changes):
    config = small(occupancy=OccupancyConfig(**{"base_episodes": 0, "batch": 64, **changes}))
    learning = Learning(config, open_replay(folder, config, HARDWARE, ENCODING), HARDWARE, ENCODING)
    held = learning.replay.demonstrations
    held.begin({STATE: np.zeros(ENCODING.size, np.float32)})
    for step in range(10):
        seen = {STATE: np.zeros(ENCODING.size, np.float32)}
        held.add(np.zeros(5, np.float32), 0.0, seen, terminated=step == 9)
    learning.begin()
    return learning


def far_away(human):
    episode = Gathered()
    episode.begin({STATE: np.zeros(ENCODING.size, np.float32)})
    for step in range(20):
        seen = {STATE: np.ones(ENCODING.size, np.float32)}
        episode.add(np.zeros(5, np.float32), 1.0, seen, terminated=step == 19, intervention=human)
    return episode


def test_straying_from_the_demonstrations_lowers_rewards_and_nothing_else(tmp_path):
    learning = learning_of(tmp_path)
    for _ in range(20):
        episode = far_away(human=False)
        priced = learning.priced(episode)
    assert all(step[1] < 1.0 for step in priced.steps)
    assert learning.straying["price"] == pytest.approx(1.0 - np.mean([step[1] for step in priced.steps]))
    for before, after in zip(episode.steps, priced.steps, strict=True):
        assert before[2] is after[2]
        assert before[3:] == after[3:]
    learning.close()


def test_a_person_may_stray(tmp_path):
    learning = learning_of(tmp_path)
    assert all(step[1] == 1.0 for step in learning.priced(far_away(human=True)).steps)
    assert len(learning.occupancy.tensors()["shown"]) == 0
    learning.close()


def everything(trainer):
    return {name: tensor.clone() for name, tensor in trainer.learning.tensors().items()}


def test_a_resumed_training_prices_as_an_uninterrupted_one_does(open_trainer):
    config = small(occupancy=QUICK, steps=36)
    straight = open_trainer("straight", config)
    straight.train()
    broken = open_trainer("broken", config, listener=Interrupting(2))
    with pytest.raises(KeyboardInterrupt):
        broken.train()
    broken.save()
    broken.close()
    resumed = open_trainer("broken", config, resume=True)
    resumed.train()
    left, right = everything(straight), everything(resumed)
    assert left.keys() == right.keys()
    assert {"occupancy.base", "occupancy.shown", "occupancy.network.0.weight"} <= left.keys()
    assert len(left["occupancy.shown"]) > 0
    for name, tensor in left.items():
        assert torch.equal(tensor, right[name]), name
    assert "chi2" in straight._listener.episodes[-1]


def test_a_training_without_the_price_has_nothing_of_it_in_its_checkpoint(open_trainer):
    trainer = open_trainer("run", small())
    assert not any(name.startswith("occupancy") for name in trainer.learning.tensors())
    assert "occupancy" not in trainer.learning.state()
