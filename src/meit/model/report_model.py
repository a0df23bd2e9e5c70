"""The whole model: what reads the ECG, projector, frozen backbone with its adapter; built, saved and loaded here."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from meit.atomic import write_json
from meit.ecg.measure.measured_inputs import INPUT, measured_inputs
from meit.ecg.quality import Reason
from meit.errors import ModelError
from meit.model import row_of
from meit.model.configuration import CONFIG, ModelConfig, read_config
from meit.model.devices import chosen_device, chosen_dtype, device_of, may_spread
from meit.model.encoders.encoder import FINDINGS, Encoded
from meit.model.encoders.familiarity import Familiarity, body_sha256, load_familiarity
from meit.model.encoders.findings import Ensemble, as_planned
from meit.model.fusion import Text, build_fusion
from meit.model.language import loading
from meit.model.language.adapter import low_rank, merge_adapter
from meit.model.language.architectures import LanguageModel, head, input_embeddings, plain
from meit.model.language.moving import move_backbone
from meit.model.language.small_weights import small_weights
from meit.model.model_files import (
    ADAPTER,
    ADAPTER_WEIGHTS,
    MERGED,
    PARTS,
    TRAINING,
    WEIGHTS,
    checksum,
    halved,
    own_weights,
    part_of,
    read_json,
    read_tensors,
    singled,
)
from meit.model.operating_points import BALANCED, OPERATING_POINTS, SENSITIVE, leaning
from meit.model.projector import ProjectorSizes, build_projector
from meit.model.prompt import IGNORED, for_drafting, prompt_ids

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class ReportModel(nn.Module):
    """backbone: a language model of transformers, with a peft adapter (training) or with it merged (drafting).

    Of a loaded model: folder, where it lies; sha256, of all that its drafts' words depend on; training_record, how it
    came to be; familiarity, what its encoder was trained on.
    """

    def __init__(
        self,
        config: ModelConfig,
        backbone: LanguageModel,
        tokenizer: "PreTrainedTokenizerBase",
        *,
        folder: Path | None = None,
        sha256: str = "",
        training_record: Mapping[str, Any] | None = None,
        familiarity: Familiarity | None = None,
    ):
        super().__init__()
        self.spec, self.backbone, self.tokenizer = config, backbone, tokenizer
        self.folder, self.sha256 = folder, sha256
        self.training_record = dict(training_record or {})
        self.familiarity = familiarity
        self.operating_point = BALANCED
        self.ensemble = Ensemble(config.encoder)
        sizes = ProjectorSizes(
            n_findings=len(config.encoder.findings),
            finding_tokens=config.finding_tokens,
            n_tokens=config.encoder.n_tokens,
            width=config.encoder.token_width,
            hidden=config.hidden,
            heads=plain(backbone).config.num_attention_heads,
        )
        self.projector = build_projector(config.projector, sizes)
        self.fusion = build_fusion(config.fusion, backbone, config.fusion_layers)

    @property
    def device(self) -> torch.device:
        """Where the encoder lies, and projector and fusion with it; a large backbone may be spread over several."""
        return device_of(self.ensemble)

    @torch.inference_mode(False)  # where it is called from within: its weights can still be trained
    def move(self, device: str | None = None, dtype: str | None = None) -> None:
        """To another device, or the backbone into less precision, in place; names as of load_model, None: as it is.

        Raises ModelError for a device that is not there, and for a model that has to be loaded so: quantised, spread, or
        rounded already.
        """
        place = self.device if device is None else chosen_device(device)
        move_backbone(self.backbone, place, None if dtype is None else chosen_dtype(dtype, place))
        for part in PARTS:
            self.get_submodule(part).to(place)

    def encode(self, ecg: Tensor, mask: Tensor, measures: Tensor | None = None) -> Encoded:
        """(B, n_samples, 12), (B, n_samples) -> all that is read of the signal, on the model's device.

        measures (B, K): what was measured (meit.ecg.measure.measured_inputs). By default it is measured here, where the
        model takes it of these inputs; of one that takes it of the recording, the signal alone is then asked.
        """
        config = self.spec.encoder
        if (
            config.measures and config.measured_on == INPUT and measures is None
        ):  # else nothing has to leave the accelerator
            values = measured_inputs(ecg.detach().cpu().numpy(), mask.cpu().numpy(), config.rate, config.measures)
            measures = torch.from_numpy(values)
        given = None if measures is None else measures.to(self.device)
        return self.ensemble.encode(ecg.to(self.device), mask.to(self.device), given)

    def unfamiliar(self, features: Tensor) -> list[Reason]:
        """What is to be said where features (2 * width,) lie far from the training set's; nothing where that is unknown."""
        return [] if self.familiarity is None else self.familiarity.reasons(features.cpu())

    def ecg_tokens(self, probabilities: Tensor, tokens: Tensor) -> Tensor:
        """(B, F), (B, S, width) -> (B, finding_tokens + S, hidden), of the plan where the model has one."""
        if self.operating_point == SENSITIVE:
            findings, lean = self.spec.encoder.findings, self.spec.sensitive
            probabilities = torch.sigmoid(leaning(torch.logit(probabilities, eps=1e-6), findings, lean))
            if self.spec.encoder.tokens_of == FINDINGS:
                tokens = leaning(tokens, findings, lean)
        return self.projector(as_planned(probabilities, self.spec.plan), tokens)

    accepts_loss_kwargs = True  # tells transformers' Trainer that forward takes num_items_in_batch

    def forward(
        self,
        ids: Tensor,
        mask: Tensor,
        labels: Tensor,
        probabilities: Tensor,
        tokens: Tensor,
        signal_mask: Tensor,
        source_ids: Tensor | None = None,
        source_mask: Tensor | None = None,
        ecg: Tensor | None = None,
        ecg_mask: Tensor | None = None,
        num_items_in_batch: Tensor | int | None = None,
        weights: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """The loss of a batch of `meit.training.examples`; given recordings, the encoder looks at them itself."""
        if ecg is not None and ecg_mask is not None:
            probabilities, tokens, _ = self.encode(ecg, ecg_mask)
        text = Text(ids, mask, source_ids, source_mask)
        return {"loss": self.loss(text, labels, probabilities, tokens, signal_mask, num_items_in_batch, weights)}

    def loss(
        self,
        text: Text,
        labels: Tensor,
        probabilities: Tensor,
        tokens: Tensor,
        signal_mask: Tensor,
        count: Tensor | int | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Cross-entropy summed over the answers' tokens and divided by `count`, by default their own number.

        signal_mask (B,): False hides the encoder's tokens (text only). weights (B,): of each answer, by default 1.
        """
        ecg_mask = text.mask.new_ones(len(labels), self.spec.n_tokens)
        ecg_mask[:, self.spec.finding_tokens :] = signal_mask[:, None].to(ecg_mask.dtype)
        hidden = self.fusion.hidden(self.backbone, text, self.ecg_tokens(probabilities, tokens), ecg_mask)
        wanted = labels[:, 1:]
        counted = wanted != IGNORED
        logits = head(self.backbone, hidden[:, :-1][counted])  # only where the loss looks
        if weights is None:
            total = nn.functional.cross_entropy(logits.float(), wanted[counted], reduction="sum")
        else:
            each = nn.functional.cross_entropy(logits.float(), wanted[counted], reduction="none")
            total = each @ weights[:, None].expand(wanted.shape)[counted]
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
        ecg = self.ecg_tokens(probabilities.to(self.device), tokens.to(self.device))
        return self.write(ecg, None, max_new_tokens, num_beams, instructions)

    @torch.inference_mode()
    def write(
        self,
        ecg: Tensor,
        seen: Tensor | None = None,
        max_new_tokens: int = 256,
        num_beams: int | None = None,
        instructions: Sequence[str] | None = None,
    ) -> list[str]:
        """As `generate`, of ECG tokens (B, S', hidden). seen (B, S'): 0 hides a token; by default none is hidden."""
        num_beams = num_beams or self.spec.num_beams
        asked = instructions or [self.spec.instruction] * len(ecg)
        prompts = [prompt_ids(self.tokenizer, text, self.spec.prompt) for text in asked]
        first = input_embeddings(self.backbone)
        text = for_drafting(self.backbone, prompts).to(first.device)
        options: dict[str, Any] = {"max_new_tokens": max_new_tokens, "num_beams": num_beams, "do_sample": False}
        if num_beams > 1:
            options["length_penalty"] = 0.0  # the likeliest report, not the likeliest for its length
        shown = text.mask.new_ones(ecg.shape[:2]) if seen is None else seen.to(text.mask)
        written = self.fusion.generate(self.backbone, text, ecg.to(first), shown, **options)
        return [text.strip() for text in self.tokenizer.batch_decode(written, skip_special_tokens=True)]

    def save(
        self, folder: Path, state: Mapping[str, Tensor] | None = None, familiarity: Familiarity | None = None
    ) -> None:
        """Ensemble, projector, fusion, adapter and configuration; nothing of the backbone. The configuration comes last.

        state: the whole model's, where its own weights are scattered over several processes. familiarity: of a model
        that was trained just now; by default its own.
        """
        from safetensors.torch import save_file

        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        state = self.state_dict() if state is None else state
        save_file(own_weights(state), folder / WEIGHTS)
        adapter = {  # by the names that peft gives its files
            key.removeprefix("backbone.").replace(".default.weight", ".weight"): halved(value)
            for key, value in state.items()
            if ".lora_" in key
        }
        (folder / ADAPTER).mkdir(exist_ok=True)
        save_file(adapter, folder / ADAPTER_WEIGHTS)
        lora = self.backbone.peft_config["default"]
        lora.base_model_name_or_path = self.spec.backbone  # its name, not where it lies on this machine
        lora.save_pretrained(str(folder / ADAPTER))
        familiarity = self.familiarity if familiarity is None else familiarity
        if familiarity is not None:
            familiarity.save(folder)
        write_json(folder / CONFIG, asdict(self.spec))


def load_model(
    folder: str | Path,
    quantised: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    operating_point: str = BALANCED,
) -> ReportModel:
    """A saved model, ready to draft, its adapter merged into the backbone.

    Weights are read straight into their precision and place; a backbone that one GPU cannot hold is spread over all,
    where the device has no number. quantised: a name of meit.model.language.small_weights. device, dtype: names of
    meit.model.devices; dtype is the backbone's, all else computes in float32. operating_point: of OPERATING_POINTS; at
    "sensitive" it calls more ECGs abnormal, rightly and wrongly. Raises ModelError for a folder that holds
    no model, where the backbone is not the one it was tuned on, and for what there is not or what excludes each other.
    """
    place = chosen_device(device)
    small = None if quantised is None else small_weights(quantised, place.type)
    if small is not None and dtype not in ("auto", "bfloat16"):
        raise ModelError(
            f"quantised weights compute in bfloat16: leave out dtype {dtype!r}, or quantised {quantised!r}"
        )
    precision = chosen_dtype(dtype, place)
    # float16 cannot hold all that others can: the backbone is compared as it is stored, and converted then
    as_stored = "auto" if precision == torch.float16 else str(precision).removeprefix("torch.")
    folder = Path(folder)
    config = read_config(folder)
    if operating_point == SENSITIVE and not config.sensitive:
        raise ModelError(f"{folder} has no sensitive operating point: 'meit calibrate --sensitive' finds one")
    row_of(dict.fromkeys(OPERATING_POINTS), "operating point", operating_point)
    own = {key: singled(value) for key, value in read_tensors(folder / WEIGHTS).items()}
    backbone, tokenizer = loading.load(
        str(folder / MERGED) if config.backbone == MERGED else config.backbone,
        as_stored if small is None else small.loaded,
        place,
        may_spread(device),
    )
    _check_backbone(folder, config, backbone)
    adapter = {}
    if config.lora_rank:
        adapter = low_rank(read_tensors(folder / ADAPTER_WEIGHTS), config.lora_rank, config.lora_alpha)
    if small is not None:
        small.finish(backbone, adapter)
    else:
        merge_adapter(backbone, adapter)
        for parameter in backbone.parameters():
            parameter.data = parameter.data.to(precision)
    model = ReportModel(
        config,
        backbone,
        tokenizer,
        folder=folder,
        sha256=checksum(folder),
        training_record=read_json(folder / TRAINING),
        familiarity=load_familiarity(folder, body_sha256(part_of(own, "ensemble.encoder.body"))),
    )
    try:
        for part in PARTS:
            model.get_submodule(part).load_state_dict(part_of(own, part))
            model.get_submodule(part).to(place)
    except RuntimeError as error:
        raise ModelError(f"{folder / WEIGHTS} does not fit {CONFIG}: {' '.join(str(error).split())}") from None
    model.operating_point = operating_point
    return model.eval()


def _check_backbone(folder: Path, config: ModelConfig, backbone: LanguageModel) -> None:
    """Quantised matrices, and those of a model that names none, are not compared."""
    pairs = [(config.backbone_sha256, loading.fingerprint(backbone))]
    matrices = config.backbone_matrices_sha256, loading.matrices_sha256(backbone)
    for tuned_on, found in [*pairs, *([matrices] if all(matrices) else [])]:
        if found != tuned_on:
            raise ModelError(
                f"{folder} was tuned on another {config.backbone!r} (fingerprint {tuned_on[:12]}, found {found[:12]}): "
                "use that backbone, or delete the cached one to convert it anew"
            )
