"""The whole model: ECG encoder, projector, frozen backbone with its adapter; built, saved and loaded here."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from meit.atomic import atomic_folder, write_json
from meit.ecg.quality import Reason
from meit.ecg.recording import LEADS
from meit.errors import ModelError
from meit.model import loading, row_of
from meit.model.architectures import dtype_of, head, plain
from meit.model.encoder import NORMALISED, EcgEncoder, EncoderConfig
from meit.model.familiarity import Familiarity, load_familiarity
from meit.model.fusion import FUSIONS, Text, build_fusion
from meit.model.measured import measured
from meit.model.projector import PROJECTORS, ProjectorSizes, build_projector
from meit.model.prompt import IGNORED, INSTRUCTION, PROMPTS, for_drafting, prompt_ids
from meit.model.quantise import QUANTISED, LowRank, quantise

CONFIG, WEIGHTS, ADAPTER, MERGED = "config.json", "ecg.safetensors", "adapter", "backbone"
TRAINING = "training.json"  # recipe, seconds, machine, versions
ADAPTER_WEIGHTS = f"{ADAPTER}/adapter_model.safetensors"
PARTS = ("encoder", "projector", "fusion")  # what is saved besides the adapter
FORMAT = 2


@dataclass(frozen=True)
class ModelConfig:
    """What rebuilds a model. finding_tokens: how many tokens carry the findings head's probabilities (0: none).

    missing_chest_leads: how many of them a recording may lack; they are masked. num_beams: how drafts are written.
    projector, prompt, fusion: rows of PROJECTORS, PROMPTS, FUSIONS. plan: the probability from which a finding is to be
    written; 0: the language model sees the probabilities themselves. normalised: what the encoder's normalisation did
    when it was trained. Raises ModelError for a name that is not known.
    """

    name: str
    version: str
    encoder: EncoderConfig
    hidden: int
    finding_tokens: int
    lora_rank: int
    lora_alpha: int
    backbone: str
    backbone_sha256: str
    instruction: str = INSTRUCTION
    projector: str = "placed"
    prompt: str = "paper"
    fusion: str = "concat"
    fusion_layers: str = "all"
    missing_chest_leads: int = 0
    num_beams: int = 1
    plan: float = 0.0
    leads: tuple[str, ...] = LEADS
    normalised: str = ""
    format: int = FORMAT

    def __post_init__(self) -> None:
        row_of(PROJECTORS, "projector", self.projector)
        row_of(PROMPTS, "prompt", self.prompt)
        row_of(FUSIONS, "fusion", self.fusion)
        object.__setattr__(self, "normalised", self.normalised or NORMALISED[self.encoder.normalisation])

    @property
    def n_tokens(self) -> int:
        return self.finding_tokens + self.encoder.n_tokens


class ReportModel(nn.Module):
    """backbone: a language model of transformers, with a peft adapter (training) or with it merged (drafting)."""

    def __init__(self, config: ModelConfig, backbone, tokenizer):
        super().__init__()
        self.spec, self.backbone, self.tokenizer = config, backbone, tokenizer
        self.encoder = EcgEncoder(config.encoder)
        sizes = ProjectorSizes(
            n_findings=len(config.encoder.findings),
            finding_tokens=config.finding_tokens,
            n_tokens=config.encoder.n_tokens,
            width=config.encoder.width,
            hidden=config.hidden,
            heads=plain(backbone).config.num_attention_heads,
        )
        self.projector = build_projector(config.projector, sizes)
        self.fusion = build_fusion(config.fusion, backbone, config.fusion_layers)
        self.sha256, self.training_record = "", {}  # of a loaded model: its files, and how it came to be
        self.folder: Path | None = None
        self.familiarity: Familiarity | None = None

    def encode(self, ecg: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """(B, n_samples, 12), (B, n_samples) -> finding probabilities (B, F) and tokens (B, S, width)."""
        return self.look(ecg, mask)[:2]

    def look(self, ecg: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As encode, and the retrieval features (B, 2 * width)."""
        frames, recorded = self.encoder.frames(ecg, mask)
        features = self.encoder.features(frames, recorded)
        logits, tokens = self.encoder.logits(ecg, mask, features), self.encoder.tokens(frames, recorded)
        config = self.spec.encoder
        if not config.measures:  # nothing has to leave the accelerator
            return torch.sigmoid(logits), tokens, features
        found = measured(ecg.detach().cpu().numpy(), mask.cpu().numpy(), config.rate, config.measures)
        return self.encoder.probabilities(logits, torch.from_numpy(found).to(logits.device)), tokens, features

    def unfamiliar(self, features: Tensor) -> list[Reason]:
        """What is to be said where features (2 * width,) lie far from the training set's; nothing where that is unknown."""
        return [] if self.familiarity is None else self.familiarity.reasons(features)

    def ecg_tokens(self, probabilities: Tensor, tokens: Tensor) -> Tensor:
        """(B, F), (B, S, width) -> (B, finding_tokens + S, hidden), of the plan where the model has one."""
        shown = (probabilities >= self.spec.plan).to(tokens.dtype) if self.spec.plan else probabilities
        return self.projector(shown, tokens)

    accepts_loss_kwargs = True  # tells transformers' Trainer that forward takes num_items_in_batch

    def forward(
        self,
        ids,
        mask,
        labels,
        probabilities,
        tokens,
        signal_mask,
        source_ids=None,
        source_mask=None,
        ecg=None,
        ecg_mask=None,
        num_items_in_batch=None,
    ) -> dict[str, Tensor]:
        """The loss of a batch of `meit.training.examples`; given recordings, the encoder looks at them itself."""
        if ecg is not None:
            probabilities, tokens = self.encode(ecg, ecg_mask)
        text = Text(ids, mask, source_ids, source_mask)
        return {"loss": self.loss(text, labels, probabilities, tokens, signal_mask, num_items_in_batch)}

    def loss(
        self,
        text: Text,
        labels: Tensor,
        probabilities: Tensor,
        tokens: Tensor,
        signal_mask: Tensor,
        count: Tensor | int | None = None,
    ) -> Tensor:
        """Cross-entropy summed over the answers' tokens and divided by `count`, by default their own number.

        signal_mask (B,): False hides the encoder's tokens (text only).
        """
        ecg_mask = text.mask.new_ones(len(labels), self.spec.n_tokens)
        ecg_mask[:, self.spec.finding_tokens :] = signal_mask[:, None].to(ecg_mask.dtype)
        hidden = self.fusion.hidden(self.backbone, text, self.ecg_tokens(probabilities, tokens), ecg_mask)
        wanted = labels[:, 1:]
        counted = wanted != IGNORED
        logits = head(self.backbone, hidden[:, :-1][counted])  # only where the loss looks
        total = nn.functional.cross_entropy(logits.float(), wanted[counted], reduction="sum")
        return total / (counted.sum() if count is None else count)

    def checkpoint_gradients(self) -> None:
        """Layers are computed again in the backward pass, which saves memory; a cache would not survive that."""
        self.backbone.activation_checkpointing_enable({"use_reentrant": False})
        self.fusion.without_cache()

    @torch.inference_mode()
    def generate(
        self,
        probabilities: Tensor,
        tokens: Tensor,
        max_new_tokens: int = 256,
        num_beams: int | None = None,
        instructions: Sequence[str] | None = None,
    ) -> list[str]:
        """(B, F), (B, S, width) -> reports, written greedily (one beam) or by beam search for the likeliest report.

        num_beams: by default the model's own. instructions: one for each recording; by default the one that the model
        was tuned with.
        """
        num_beams = num_beams or self.spec.num_beams
        asked = instructions or [self.spec.instruction] * len(tokens)
        prompts = [prompt_ids(self.tokenizer, text, self.spec.prompt) for text in asked]
        text = for_drafting(self.backbone, prompts)
        ecg = self.ecg_tokens(probabilities, tokens).to(dtype_of(self.backbone))
        options = {"max_new_tokens": max_new_tokens, "num_beams": num_beams, "do_sample": False}
        if num_beams > 1:
            options["length_penalty"] = 0.0  # the likeliest report, not the likeliest for its length
        seen = text.mask.new_ones(ecg.shape[:2])
        written = self.fusion.generate(self.backbone, text, ecg, seen, **options)
        return [text.strip() for text in self.tokenizer.batch_decode(written, skip_special_tokens=True)]

    def save(self, folder: Path, state: dict[str, Tensor] | None = None) -> None:
        """Encoder, projector, fusion, adapter and configuration; nothing of the backbone. The configuration comes last.

        state: the whole model's, where its own weights are scattered over several processes.
        """
        from safetensors.torch import save_file

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        state = self.state_dict() if state is None else state
        save_file(_own(state), folder / WEIGHTS)
        adapter = {  # by the names that peft gives its files
            key.removeprefix("backbone.").replace(".default.weight", ".weight"): _half(value)
            for key, value in state.items()
            if ".lora_" in key
        }
        (folder / ADAPTER).mkdir(exist_ok=True)
        save_file(adapter, folder / ADAPTER_WEIGHTS)
        lora = self.backbone.peft_config["default"]
        lora.base_model_name_or_path = self.spec.backbone  # its name, not where it lies on this machine
        lora.save_pretrained(folder / ADAPTER)
        if self.familiarity is not None:
            self.familiarity.save(folder)
        write_json(folder / CONFIG, asdict(self.spec))


def lora_backbone(backbone, rank: int, alpha: int, dropout: float):
    """The frozen backbone wrapped with LoRA (Hu et al., 2021) on all its linear layers."""
    from peft import LoraConfig, get_peft_model

    task = "SEQ_2_SEQ_LM" if backbone.config.is_encoder_decoder else "CAUSAL_LM"
    lora = LoraConfig(r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules="all-linear", task_type=task)
    return get_peft_model(backbone, lora)


def load_model(folder: str | Path, quantised: str | None = None) -> ReportModel:
    """A saved model, ready to draft, its adapter merged into the backbone.

    quantised: "int8" or "int4", see meit.model.quantise; by default the backbone computes in float32. Raises ModelError for a folder that holds no model, or where the backbone is not the one it was tuned on.
    """
    from safetensors.torch import load_file

    folder = Path(folder)
    config = read_config(folder)
    place = str(folder / MERGED) if config.backbone == MERGED else config.backbone
    backbone, tokenizer = loading.load(place, "float32")
    found = loading.fingerprint(backbone)
    if found != config.backbone_sha256:
        raise ModelError(
            f"{folder} was tuned on another {config.backbone!r} (fingerprint {config.backbone_sha256[:12]}, found "
            f"{found[:12]}): use that backbone, or delete the cached one to convert it anew"
        )
    adapter = low_rank(load_file(folder / ADAPTER_WEIGHTS), config) if config.lora_rank else {}
    if quantised is None or not QUANTISED[quantised].keeps_adapter:
        merge_adapter(backbone, adapter)
        adapter = {}
    if quantised is not None:
        merge_adapter(backbone, quantise(backbone, quantised, adapter))
    model = ReportModel(config, backbone, tokenizer)
    own = load_file(folder / WEIGHTS)
    for part in PARTS:
        state = {key.removeprefix(part + "."): value for key, value in own.items() if key.startswith(part + ".")}
        getattr(model, part).load_state_dict({key: _single(value) for key, value in state.items()})
    model.sha256, model.folder = _checksum(folder), folder
    model.familiarity = load_familiarity(folder, model.encoder)
    if (folder / TRAINING).exists():
        model.training_record = json.loads((folder / TRAINING).read_text())
    return model.eval()


def export_merged(folder: str | Path, out: str | Path) -> None:
    """A model with its adapter folded into the backbone, which then lies in `out`/backbone as transformers saves it.

    `out` is a model of meit as well. It appears whole or not at all. Raises ModelError where `out` exists.
    """
    from safetensors.torch import save_file

    out = Path(out)
    if out.exists():
        raise ModelError(f"{out} exists: name a folder that does not")
    model = load_model(folder)
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(out) as temporary:
        model.backbone.save_pretrained(temporary / MERGED)
        model.tokenizer.save_pretrained(temporary / MERGED)
        save_file(_own(model.state_dict()), temporary / WEIGHTS)
        fingerprint = loading.fingerprint(model.backbone)
        spec = replace(model.spec, backbone=MERGED, backbone_sha256=fingerprint, lora_rank=0)
        if model.familiarity is not None:
            model.familiarity.save(temporary)
        write_json(temporary / CONFIG, asdict(spec))


def read_config(folder: Path) -> ModelConfig:
    """The configuration of a saved model. Raises ModelError where there is none, or none that this version can build."""
    path = folder / CONFIG
    try:
        raw = json.loads(path.read_text())
        if raw["format"] != FORMAT:
            raise ModelError(f"{folder} was made by another version of meit (format {raw['format']}, need {FORMAT})")
        encoder = {key: tuple(v) if isinstance(v, list) else v for key, v in raw.pop("encoder").items()}
        raw["leads"] = tuple(raw["leads"])
        config = ModelConfig(encoder=EncoderConfig(**encoder), **raw)
    except (FileNotFoundError, NotADirectoryError):
        raise ModelError(
            f"{folder} holds no model ({CONFIG} is missing): give a folder that 'meit train' made"
        ) from None
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from None
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} cannot be understood: {error}") from None
    if config.leads != LEADS or config.normalised != NORMALISED[config.encoder.normalisation]:
        raise ModelError(
            f"{folder} was trained on another input ({config.normalised}): use the version of meit that made it, or "
            "train it anew"
        )
    return config


def low_rank(adapter: dict[str, Tensor], config: ModelConfig) -> dict[str, LowRank]:
    """An adapter's file -> A and alpha / rank * B of each layer, by the layer's path in the backbone."""
    scale = config.lora_alpha / config.lora_rank
    return {
        key.removeprefix("base_model.model.").removesuffix(".lora_A.weight"): (
            adapter[key].float(),
            adapter[key.replace("lora_A", "lora_B")].float() * scale,
        )
        for key in adapter
        if key.endswith("lora_A.weight")
    }


def merge_adapter(backbone, adapter: dict[str, LowRank]) -> None:
    """W + alpha / rank * B A, as peft's merge does; by hand, since importing peft costs seconds at every start."""
    from transformers.pytorch_utils import Conv1D

    for path, (down, up) in adapter.items():
        module, change = backbone.get_submodule(path), up @ down
        module.weight.data += change.T if isinstance(module, Conv1D) else change  # GPT-2's are stored the other way


def _own(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """What is saved besides the adapter, out of a whole model's state."""
    return {key: _half(value) for key, value in state.items() if key.split(".")[0] in PARTS}


def _half(value: Tensor) -> Tensor:
    return (value.to(torch.bfloat16) if value.is_floating_point() else value).contiguous()


def _single(value: Tensor) -> Tensor:
    return value.float() if value.is_floating_point() else value


def _checksum(folder: Path) -> str:
    """Of what a draft's words depend on; calibration and familiarity only speak about them, and are not part of it."""
    import hashlib

    digest = hashlib.sha256()
    for name in (CONFIG, WEIGHTS, ADAPTER_WEIGHTS):
        if (folder / name).exists():  # a merged model has no adapter
            digest.update((folder / name).read_bytes())
    return digest.hexdigest()
