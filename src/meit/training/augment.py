"""Random changes to a normalised ECG that leave its report true."""

import torch
from torch import Tensor

LEAD_DROP, NOISE, GAIN = 0.1, 0.08, 0.15


def augment(ecg: Tensor, generator: torch.Generator) -> Tensor:
    """(B, n, 12) -> the same shape: shifted in time, single chest leads dropped, gain and noise varied.

    The limb leads share one gain, since their ratio is the frontal axis.
    """
    batch, n, n_leads = ecg.shape

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator)

    shift = torch.randint(0, n, (batch, 1, 1), generator=generator)
    where = (torch.arange(n)[None, :, None] + shift) % n
    out = ecg.gather(1, where.expand(batch, n, n_leads))
    gain = 1 + GAIN * (2 * uniform(batch, 1, n_leads) - 1)
    gain[:, :, :6] = gain[:, :, :1]
    keep = (uniform(batch, 1, n_leads) > LEAD_DROP).float()
    keep[:, :, :6] = 1
    noise = torch.randn(out.shape, generator=generator) * NOISE * uniform(batch, 1, 1)
    return out * gain * keep + noise
