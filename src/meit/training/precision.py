"""Whether bf16 is quick here. Where it is emulated, a tuning step takes many times as long as in float32."""

import torch


def has_bf16() -> bool:
    """Whether what tunes, the GPU or else the processor, has bf16 instructions."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    known = getattr(torch.cpu, "get_capabilities", dict)()
    return any(there for name, there in known.items() if name.endswith("bf16"))
