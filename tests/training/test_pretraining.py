"""What augmentation does to an ECG leaves what is recorded of it in sight."""

import torch

from meit.training.pretraining import augment


def test_what_is_recorded_moves_with_the_ecg():
    """A recording of 5 s in a window of 10: the other half is neither ECG nor recorded, wherever it is shifted."""
    ecg, mask = torch.zeros(64, 1000, 12), torch.zeros(64, 1000)
    ecg[:, :500], mask[:, :500] = 100.0, 1.0
    changed, moved = augment(ecg, mask, torch.Generator().manual_seed(0))
    assert torch.equal(moved.sum(1), mask.sum(1)) and not torch.equal(moved, mask)
    assert torch.equal((changed[:, :, 0] > 50).float(), moved)  # no noise comes near that


def test_limb_leads_keep_their_ratios():
    ecg = torch.randn(8, 200, 12).mul(1e4)
    changed, _ = augment(ecg, torch.ones(8, 200), torch.Generator().manual_seed(3))
    ratio = changed[:, :, 0].norm(dim=1) / changed[:, :, 1].norm(dim=1)
    assert torch.allclose(ratio, ecg[:, :, 0].norm(dim=1) / ecg[:, :, 1].norm(dim=1), rtol=1e-3)
    assert (changed[:, :, :6].abs().amax(1) > 1e3).all()  # none of them is dropped
