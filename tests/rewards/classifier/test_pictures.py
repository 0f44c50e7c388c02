"""What becomes of an image on its way to the network, and what augmentation may and may not change."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sinew_rewards.classifier.augment import AugmentConfig, augmented
from sinew_rewards.classifier.network import Sizes, SuccessNetwork, as_input, expected_places
from sinew_rewards.classifier.pictures import CameraView, PictureSpec, shrunk

NONE = AugmentConfig(shift=0.0, brightness=0.0, contrast=0.0, colour=0.0)


def _pictures(count: int = 4, cameras: int = 2, size: int = 20) -> torch.Tensor:
    return torch.rand((count, cameras, 3, size, size), generator=torch.Generator().manual_seed(0))


def test_shrinking_keeps_the_mean_and_the_place() -> None:
    rgb = np.zeros((60, 80, 3), np.uint8)
    rgb[:30, 40:] = (200, 100, 40)
    small = shrunk(rgb, CameraView.whole("top", 80, 60), 16)
    assert small.shape == (16, 16, 3)
    assert small.dtype == np.uint8
    assert np.abs(small.mean((0, 1)) - rgb.mean((0, 1))).max() < 1.0
    assert small[2, 13].tolist() == [200, 100, 40]
    assert small[13, 2].tolist() == [0, 0, 0]


def test_what_is_of_the_right_size_is_a_copy() -> None:
    rgb = np.full((16, 16, 3), 7, np.uint8)
    small = shrunk(rgb, CameraView.whole("top", 16, 16), 16)
    small[:] = 0
    assert rgb.min() == 7


def test_no_augmentation_changes_nothing() -> None:
    pictures = _pictures()
    assert torch.allclose(augmented(pictures, NONE, torch.Generator().manual_seed(1)), pictures, atol=1e-6)


def test_augmentation_follows_its_generator_alone() -> None:
    pictures, config = _pictures(), AugmentConfig()
    made = [augmented(pictures, config, torch.Generator().manual_seed(seed)) for seed in (1, 1, 2)]
    assert torch.equal(made[0], made[1])
    assert not torch.equal(made[0], made[2])
    assert min(float(m.min()) for m in made) >= 0.0
    assert max(float(m.max()) for m in made) <= 1.0


def test_a_shift_moves_a_picture_by_no_more_than_it_may() -> None:
    pictures = torch.zeros((32, 1, 3, 20, 20))
    pictures[..., 10, 10] = 1.0
    moved = augmented(pictures, AugmentConfig(0.1, 0.0, 0.0, 0.0), torch.Generator().manual_seed(3))
    places = moved[:, 0, 0].flatten(1).argmax(1)
    rows, columns = places // 20, places % 20
    assert {int(v) for v in torch.cat([rows, columns])} == {8, 9, 10, 11, 12}


def test_exchanged_colours_are_those_of_the_picture_and_the_same_for_all_cameras() -> None:
    pictures = torch.tensor([0.1, 0.5, 0.9])[None, None, :, None, None].expand(40, 2, 3, 16, 16)
    config = AugmentConfig(shift=0.0, brightness=0.0, contrast=0.0, colour=0.0, exchange=1.0)
    made = augmented(pictures, config, torch.Generator().manual_seed(5))[..., 0, 0]
    assert torch.allclose(made.sort(2).values, torch.tensor([0.1, 0.5, 0.9]))
    assert torch.equal(made[:, 0], made[:, 1])
    assert len({tuple(colours.tolist()) for colours in made[:, 0]}) == 6


def test_the_cameras_of_a_moment_are_lit_alike() -> None:
    pictures = torch.full((8, 2, 3, 20, 20), 0.5)
    lit = augmented(pictures, AugmentConfig(shift=0.0), torch.Generator().manual_seed(4))
    assert torch.allclose(lit[:, 0], lit[:, 1])
    assert float(lit.std()) > 0.01


@pytest.mark.parametrize("size", [16, 23, 32])
def test_the_network_takes_any_size_and_number_of_cameras(size: int) -> None:
    network = SuccessNetwork(Sizes(cameras=2, size=size)).eval()
    pictures = torch.zeros((3, 2, size, size, 3), dtype=torch.uint8)
    assert network(as_input(pictures)).shape == (3,)


def seen_by_the_middle(sizes: Sizes) -> tuple[int, torch.Tensor]:
    """The edge of a trunk's map, and the columns of the picture that the middle of the map depends on."""
    trunk = SuccessNetwork(sizes).trunks[0]
    # Group normalisation looks at the whole picture, and a dead unit at none: neither is in the geometry.
    layers = [layer for layer in trunk.layers if isinstance(layer, torch.nn.Conv2d)]  # type: ignore[union-attr]
    picture = torch.ones((1, 3, sizes.size, sizes.size), requires_grad=True)
    found = picture
    for layer in layers:
        torch.nn.init.constant_(layer.weight, 1e-3)
        found = layer(found)
    middle = found.shape[-1] // 2
    found[0, 0, middle, middle].backward()  # type: ignore[no-untyped-call]
    assert picture.grad is not None
    return found.shape[-1], picture.grad.abs().sum((0, 1, 2)).nonzero()[:, 0]


def test_a_fine_network_has_a_map_twice_as_fine_that_sees_as_much() -> None:
    coarse, seen_coarse = seen_by_the_middle(Sizes(cameras=1, size=128))
    fine, seen_fine = seen_by_the_middle(Sizes(cameras=1, size=128, halvings=3))
    assert (coarse, fine) == (8, 16)
    assert len(seen_fine) >= len(seen_coarse) > 40
    with pytest.raises(ValueError, match="halvings: expected 1 to 4"):
        Sizes(cameras=1, size=128, halvings=5)


def test_the_network_has_a_few_hundred_thousand_parameters() -> None:
    network = SuccessNetwork(Sizes(cameras=2, size=128))
    assert 1e5 < sum(p.numel() for p in network.parameters()) < 1e6


def test_a_crop_outside_of_the_image_and_no_cameras_are_errors() -> None:
    with pytest.raises(ValueError, match="crop of camera 'top'"):
        CameraView("top", 80, 60, (0, 0, 81, 60))
    with pytest.raises(ValueError, match="at least one camera"):
        PictureSpec(())


def test_places_are_where_the_maps_peak() -> None:
    scores = torch.zeros((1, 2, 5, 5))
    scores[0, 0, 0, 4] = scores[0, 1, 4, 2] = 50.0
    rows, columns = expected_places(scores)[0].view(2, 2)
    assert torch.allclose(rows, torch.tensor([-1.0, 1.0]))
    assert torch.allclose(columns, torch.tensor([1.0, 0.0]), atol=1e-6)
