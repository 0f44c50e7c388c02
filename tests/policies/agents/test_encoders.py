"""Encoders: shapes, standardisation, random shifts, gradients, errors."""

from __future__ import annotations

import pytest
import torch
from sinew_policies.agents.agent import AgentError
from sinew_policies.agents.encoders import Concatenate, Convolutional, Vector, random_shift
from torch import Tensor
from torch.nn import functional

torch.set_num_threads(1)


def images(rows: int, height: int = 20, width: int = 24) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (rows, height, width, 3), generator=generator, dtype=torch.uint8)


def small(seed: int = 0) -> Convolutional:
    return Convolutional("top", (20, 24, 3), seed, features=5, channels=(4, 8))


def test_a_vector_is_standardised_by_what_it_was_given() -> None:
    encoder = Vector("state", torch.tensor([1.0, -2.0]), torch.tensor([2.0, 0.5]))
    given = {"state": torch.tensor([[3.0, -2.0], [1.0, -1.0]]), "other": torch.zeros(2, 9)}
    assert encoder.features == 2
    assert encoder(given).tolist() == [[1.0, 0.0], [0.0, 2.0]]
    assert not list(encoder.parameters())


def test_mean_and_std_travel_with_the_weights() -> None:
    encoder = Vector("state", torch.ones(2), 2 * torch.ones(2))
    assert set(encoder.state_dict()) == {"mean", "std"}


def test_noise_is_in_standard_deviations_and_in_updates_only() -> None:
    encoder = Vector("state", torch.zeros(2), torch.tensor([2.0, 0.5]), noise=0.3)
    seen = {"state": torch.zeros(4000, 2)}
    changed = encoder.augment(seen, torch.Generator().manual_seed(0))["state"]
    assert changed.std(0).tolist() == pytest.approx([0.6, 0.15], rel=0.05)
    assert torch.equal(encoder(seen), torch.zeros(4000, 2))
    assert torch.equal(seen["state"], torch.zeros(4000, 2))


def test_what_hardly_varied_cannot_shout() -> None:
    encoder = Vector("state", torch.zeros(2), torch.tensor([0.01, 1.0]))
    assert encoder({"state": torch.tensor([[1.0, 1.0]])}).tolist() == [[5.0, 1.0]]
    assert encoder({"state": torch.tensor([[-1.0, 1.0]])}).tolist() == [[-5.0, 1.0]]


def test_noise_below_zero_is_refused() -> None:
    with pytest.raises(AgentError, match="noise"):
        Vector("state", torch.zeros(1), torch.ones(1), noise=-0.1)


def test_images_become_features_of_a_known_length() -> None:
    encoder = small()
    features = encoder({"top": images(3)})
    assert features.shape == (3, encoder.features)
    assert features.dtype == torch.float32


def test_gradients_reach_every_convolution() -> None:
    encoder = small()
    encoder({"top": images(3)})[:, 0].sum().backward()
    for name, weight in encoder.named_parameters():
        assert weight.grad is not None, name
        if name.endswith("weight"):
            assert float(weight.grad.abs().sum()) > 0, name


def test_the_first_weights_come_from_the_seed_alone() -> None:
    first = small(7)
    torch.rand(100)
    before = torch.get_rng_state()
    second, other = small(7), small(8)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(first.head.weight, second.head.weight)
    assert not torch.equal(first.head.weight, other.head.weight)


def test_a_shift_is_a_crop_of_the_padded_image() -> None:
    given, pad = images(40), 3
    shifted = random_shift(given, pad, torch.Generator().manual_seed(0))
    assert shifted.dtype == torch.uint8
    padded = functional.pad(given.permute(0, 3, 1, 2).float(), (pad,) * 4, mode="replicate")
    found = set()
    for row in range(len(given)):
        crops = {
            (dy, dx): padded[row, :, dy : dy + 20, dx : dx + 24].permute(1, 2, 0)
            for dy in range(2 * pad + 1)
            for dx in range(2 * pad + 1)
        }
        matching = [move for move, crop in crops.items() if torch.equal(crop, shifted[row].float())]
        assert len(matching) == 1
        found.add(matching[0])
    assert len(found) > 15  # each image has a move of its own
    assert {dy for dy, _ in found} == {dx for _, dx in found} == set(range(2 * pad + 1))


def test_a_shift_by_nothing_changes_nothing() -> None:
    assert torch.equal(random_shift(images(4), 0, torch.Generator()), images(4))


def test_augmenting_leaves_the_given_observation_and_other_columns_alone() -> None:
    state, top = torch.randn(4, 2), images(4)
    encoder = Concatenate([Vector("state", torch.zeros(2), torch.ones(2)), small()])
    changed = encoder.augment({"state": state, "top": top}, torch.Generator().manual_seed(1))
    assert changed["state"] is state
    assert torch.equal(top, images(4))
    assert not torch.equal(changed["top"], top)


def test_concatenated_features_stand_in_the_order_of_the_parts() -> None:
    vector, camera = Vector("state", torch.zeros(2), torch.ones(2)), small()
    both = Concatenate([vector, camera])
    given = {"state": torch.randn(3, 2), "top": images(3)}
    assert both.features == 7
    assert torch.equal(both(given), torch.cat([vector(given), camera(given)], -1))


@pytest.mark.parametrize(
    ("column", "named"),
    [
        (
            torch.zeros(3, 20, 24, 3),
            r"column 'top': expected \(b, 20, 24, 3\) torch.uint8, got .* torch.float32",
        ),
        (images(3, 10, 24), r"got \(3, 10, 24, 3\)"),
        (images(3)[0], r"got \(20, 24, 3\)"),
    ],
)
def test_an_image_of_another_shape_or_type_is_named(column: Tensor, named: str) -> None:
    with pytest.raises(AgentError, match=named):
        small()({"top": column})
    with pytest.raises(AgentError, match=named):
        small().augment({"top": column}, torch.Generator())


def test_a_missing_column_is_named_with_those_there_are() -> None:
    with pytest.raises(AgentError, match="no column 'top' in the observation; there are state, wrist"):
        small()({"wrist": images(1), "state": torch.zeros(1, 2)})


def test_a_vector_of_another_length_is_named() -> None:
    encoder = Vector("state", torch.zeros(3), torch.ones(3))
    with pytest.raises(AgentError, match=r"'state': expected \(b, 3\) torch.float32, got \(2, 4\)"):
        encoder({"state": torch.zeros(2, 4)})
    with pytest.raises(AgentError, match="float64"):
        encoder({"state": torch.zeros(2, 3, dtype=torch.float64)})


def test_encoders_that_cannot_be_are_refused() -> None:
    with pytest.raises(AgentError, match="positive std"):
        Vector("state", torch.zeros(2), torch.tensor([1.0, 0.0]))
    with pytest.raises(AgentError, match="finite mean"):
        Vector("state", torch.tensor([0.0, torch.nan]), torch.ones(2))
    with pytest.raises(AgentError, match=r"mean \(2,\) and std \(3,\)"):
        Vector("state", torch.zeros(2), torch.ones(3))
    with pytest.raises(AgentError, match="at least 31 x 31"):
        Convolutional("top", (30, 30, 3), 0)
    with pytest.raises(AgentError, match=r"got \(64, 64, 1\)"):
        Convolutional("top", (64, 64, 1), 0)
    with pytest.raises(AgentError, match="at least one encoder"):
        Concatenate([])


def test_the_smallest_image_that_the_layers_allow_works() -> None:
    assert Convolutional("top", (31, 31, 3), 0)({"top": images(1, 31, 31)}).shape == (1, 64)
