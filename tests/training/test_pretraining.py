"""What augmentation does to an ECG leaves what is recorded of it in sight."""

import pytest
import torch

from meit.training.pretraining import NOISE, augmented, varied


def test_what_is_recorded_moves_with_the_ecg():
    """A recording of 5 s in a window of 10: the other half is neither ECG nor recorded, wherever it is shifted."""
    ecg, mask = torch.zeros(64, 1000, 12), torch.zeros(64, 1000)
    ecg[:, :500], mask[:, :500] = 100.0, 1.0
    moved, moved_mask = varied(ecg, mask, torch.arange(64), 1.0, torch.Generator().manual_seed(0))
    assert torch.equal(moved_mask.sum(1), mask.sum(1)) and not torch.equal(moved_mask, mask)
    assert torch.equal((moved[:, :, 0] > 50).float(), moved_mask)


def test_limb_leads_keep_their_ratios():
    ecg = torch.randn(8, 200, 12)
    moved, _ = varied(ecg, torch.ones(8, 200), torch.arange(8), 1.0, torch.Generator().manual_seed(3))
    ratio = moved[:, :, 0].norm(dim=1) / moved[:, :, 1].norm(dim=1)
    assert torch.allclose(ratio, ecg[:, :, 0].norm(dim=1) / ecg[:, :, 1].norm(dim=1), rtol=1e-3)
    assert (moved[:, :, :6].abs().amax(1) > 0).all()  # none of them is dropped
    assert not moved[:, :, 6:].abs().amax(1).all()  # of the 48 others one in ten is


def test_each_recording_is_mixed_with_the_other_that_was_chosen():
    """Constant leads, which no shift changes; gains are 0.85 to 1.15, noise a few hundredths."""
    ecg = torch.arange(4.0)[:, None, None].expand(4, 200, 12) * 100
    other = torch.tensor([2, 0, 3, 1])
    mixed, _ = augmented(ecg, torch.ones(4, 200), other, 0.25, torch.Generator().manual_seed(0))
    wanted = 0.25 * ecg[:, 0, 0] + 0.75 * ecg[other, 0, 0]
    assert mixed[:, :, 0].mean(1).tolist() == pytest.approx(wanted.tolist(), rel=0.16)


def test_noise_is_of_the_size_that_two_mixed_recordings_have():
    """Each of them has noise of a deviation between 0 and NOISE, of which the mixture has its share."""
    silent, generator = torch.zeros(2000, 20, 12), torch.Generator().manual_seed(5)
    first, second = (augmented(silent, torch.ones(2000, 20), torch.arange(2000), 0.3, generator)[0] for _ in range(2))
    expected = NOISE**2 / 3 * (0.3**2 + 0.7**2)
    assert first.var().item() == pytest.approx(expected, rel=0.05)
    assert abs((first * second).mean().item()) < 0.02 * expected  # drawn anew
