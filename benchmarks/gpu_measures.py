"""No script: what benchmarks/gpu.py measures with; language models of a real size with random weights, and clocks."""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from decoding import weight_bytes

from meit.ecg.recording import Recording
from meit.model.configuration import ModelConfig
from meit.model.encoders.encoder import EncoderConfig
from meit.model.fusion import Text
from meit.model.language import loading
from meit.model.language.adapter import lora_backbone
from meit.model.language.architectures import input_embeddings, plain
from meit.model.language.backbones import DEFAULT, PAPER_RANK
from meit.model.prompt import for_drafting, prompt_ids
from meit.model.report_model import ReportModel

PEAK = {"H100": 989e12, "H200": 989e12, "A100": 312e12, "L40S": 362e12, "L4": 121e12, "RTX 4090": 165e12}  # bf16, dense
DECODED = "| backbone | batch | way | tokens/s | ratio | share of the memory-bandwidth limit |"


@dataclass(frozen=True)
class Setting:
    """How large everything is. shape: of the large language model."""

    device: torch.device
    recordings: list[Recording]
    shape: dict
    rounds: int
    parity: int
    batches: tuple[int, ...]
    tokens: int
    tuned_batch: int
    encoder_recordings: int
    folder: int

    def now(self) -> float:
        """The time, when all that was asked of the device is done."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        elif self.device.type == "mps":
            torch.mps.synchronize()
        return time.perf_counter()

    def seconds(self, ways: dict[str, Callable[[], object]]) -> dict[str, float]:
        """Name -> median seconds, the ways taken in turns."""
        taken: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(self.rounds + 1):
            for name in list(ways) if turn % 2 else list(ways)[::-1]:
                start = self.now()
                ways[name]()
                taken[name].append(self.now() - start)
        return {name: statistics.median(values[1:]) for name, values in taken.items()}


def table(head_row: str, rows: list[str]) -> str:
    return "\n".join([head_row, "|" + "---|" * (head_row.count("|") - 1), *rows])


def device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def bandwidth(setting: Setting) -> float:
    """Bytes a second that a copy reads and writes; the best of ten."""
    block = torch.ones(50_000_000 if setting.device.type == "cpu" else 1_000_000_000, device=setting.device)
    other, times = torch.empty_like(block), []
    for _ in range(10):
        start = setting.now()
        other.copy_(block)
        times.append(setting.now() - start)
    return 2 * block.nbytes / min(times)


def random_backbone(shape: dict, device: torch.device, dtype: torch.dtype = torch.bfloat16):
    """A LLaMA of that shape with random weights, made where it shall lie."""
    from transformers import AutoConfig, AutoModelForCausalLM, GenerationConfig

    with device:
        backbone = AutoModelForCausalLM.from_config(AutoConfig.for_model("llama", **shape), dtype=dtype)
    backbone.generation_config = GenerationConfig(pad_token_id=0, eos_token_id=2)
    return backbone.eval()


def around(backbone, encoder: EncoderConfig, projector: str = "placed", lora: bool = False) -> ReportModel:
    """A ReportModel of S encoder tokens and no finding tokens around a backbone, with the default one's tokenizer."""
    _, _, tokenizer = loading.locate_parts(DEFAULT)
    config = ModelConfig(
        name="benchmark",
        version="0",
        encoder=encoder,
        hidden=plain(backbone).config.hidden_size,
        finding_tokens=0,
        lora_rank=PAPER_RANK,
        lora_alpha=2 * PAPER_RANK,
        backbone="random",
        backbone_sha256="",
        projector=projector,
    )
    device = plain(backbone).get_input_embeddings().weight.device
    wrapped = lora_backbone(backbone, PAPER_RANK, 2 * PAPER_RANK, 0.0) if lora else backbone
    return ReportModel(config, wrapped, tokenizer).to(device)


def decoded(setting: Setting, name: str, model: ReportModel, speed: float) -> Iterator[str]:
    """Rows of a table: tokens a second, fused against text-only `generate` of the same backbone."""
    backbone = plain(model.backbone)
    read = weight_bytes(backbone)
    exactly = {"min_new_tokens": setting.tokens, "max_new_tokens": setting.tokens, "do_sample": False}
    for batch in setting.batches:
        drafted = for_drafting(backbone, [prompt_ids(model.tokenizer)] * batch)
        text = Text(drafted.ids.to(setting.device), drafted.mask.to(setting.device))
        ecg = torch.randn(
            batch, model.spec.n_tokens, model.spec.hidden, device=setting.device, dtype=input_embeddings(backbone).dtype
        )
        seen = text.mask.new_ones(ecg.shape[:2])
        given = {"input_ids": text.ids, "attention_mask": text.mask, **exactly}
        ways = {
            "text only": lambda given=given: backbone.generate(**given),
            "fused": lambda text=text, ecg=ecg, seen=seen: model.fusion.generate(backbone, text, ecg, seen, **exactly),
        }
        if (
            setting.device.type == "cuda" and batch == 1
        ):  # compiled by transformers, with CUDA graphs: minutes for each size
            ways["text only, static cache"] = lambda given=given: backbone.generate(
                cache_implementation="static", **given
            )
        try:
            with torch.inference_mode():
                taken = setting.seconds(ways)
        except torch.OutOfMemoryError as error:  # the smaller batches' rows are not to be lost
            yield f"| {name} | {batch} | {str(error).splitlines()[0]} | | | |"
            continue
        for way, seconds in taken.items():
            rate = batch * setting.tokens / seconds
            limit = batch * speed / read
            yield (
                f"| {name} | {batch} | {way} | {rate:,.0f} | {taken['text only'] / seconds:.2f} | {rate / limit:.2f} |"
            )


def model_flops(model: ReportModel, batch: int, length: int) -> float:
    """Of one step: 2 a frozen weight and token forward and 2 for the activations' gradient; 6 an adapter weight; the
    attention's 4 * length * width a token and layer forward, and twice that backward."""
    config = plain(model.backbone).config
    adapter = sum(p.numel() for n, p in model.named_parameters() if "lora_" in n)
    frozen = sum(p.numel() for p in plain(model.backbone).parameters()) - adapter
    embeddings = plain(model.backbone).get_input_embeddings().weight.numel()
    attention = 12 * config.num_hidden_layers * length * config.hidden_size / 2  # causal
    return batch * length * (4.0 * (frozen - embeddings) + 6.0 * adapter + attention)
