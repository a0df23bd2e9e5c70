"""A model with its adapter folded into its backbone, for those who want one network without an adapter."""

from dataclasses import asdict, replace
from pathlib import Path

from meit.atomic import atomic_folder, write_json
from meit.errors import ModelError
from meit.model.configuration import CONFIG
from meit.model.language import loading
from meit.model.language.architectures import plain
from meit.model.model_files import CALIBRATION, MERGED, TRAINING, WEIGHTS, checksum, own_weights, read_json
from meit.model.report_model import load_model


def export_merged(folder: str | Path, out: str | Path) -> None:
    """A model with its adapter folded into the backbone, which then lies in `out`/backbone as transformers saves it.

    `out` is a model of meit as well, which drafts the same with the same confidences. It appears whole or not at all.
    Raises ModelError where `out` exists.
    """
    from safetensors.torch import save_file

    out = Path(out)
    if out.exists():
        raise ModelError(f"{out} exists: name a folder that does not")
    model = load_model(folder, device="cpu", dtype="float32")
    out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(out) as temporary:
        plain(model.backbone).save_pretrained(temporary / MERGED)
        model.tokenizer.save_pretrained(temporary / MERGED)
        save_file(own_weights(model.state_dict()), temporary / WEIGHTS)
        spec = replace(
            model.spec,
            backbone=MERGED,
            backbone_sha256=loading.fingerprint(model.backbone),
            backbone_matrices_sha256=loading.matrices_sha256(model.backbone),
            lora_rank=0,
        )
        if model.familiarity is not None:
            model.familiarity.save(temporary)
        if model.training_record:
            write_json(temporary / TRAINING, model.training_record)
        write_json(temporary / CONFIG, asdict(spec))
        calibration = read_json(Path(folder) / CALIBRATION)
        if calibration.get("model_sha256") == model.sha256:
            write_json(temporary / CALIBRATION, {**calibration, "model_sha256": checksum(temporary)})
