"""`meit calibrate --sensitive`: finds a model's sensitive operating point on its drafts of the validation fold."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from meit.atomic import write_json
from meit.data.splits import SPLITS
from meit.drafting.report_writing import write_reports
from meit.errors import ModelError
from meit.model.configuration import CONFIG
from meit.model.encoders.encoding import encode_all, recordings_for
from meit.model.operating_points import SENSITIVE
from meit.model.report_model import load_model
from meit.reports.gravity import is_abnormal
from meit.reports.statements import asserted, read_statements

LEANS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5)  # in logits; 0 is the balanced point
LEAST_SPECIFICITY = 0.9  # of the ECGs that are reported as normal, the share that must still be called so


@dataclass(frozen=True)
class OperatingPoint:
    """Of calling ECGs abnormal, and micro F1 over all findings."""

    lean: float
    sensitivity: float
    specificity: float
    f1: float

    @classmethod
    def of(cls, lean: float, drafts: Sequence[str], references: Sequence[str]) -> "OperatingPoint":
        called, true = (
            np.array([is_abnormal(read_statements(text)) for text in texts]) for texts in (drafts, references)
        )
        said, stated = ([asserted(read_statements(text)) for text in texts] for texts in (drafts, references))
        both = sum(len(a & b) for a, b in zip(said, stated, strict=True))
        f1 = 2 * both / max(sum(map(len, said)) + sum(map(len, stated)), 1)
        sensitivity = called[true].mean() if true.any() else float("nan")
        specificity = (~called[~true]).mean() if not true.all() else float("nan")
        return cls(lean, float(sensitivity), float(specificity), f1)


def find_sensitive_point(model_folder: Path, data: Sequence[Path], device: str = "auto", dtype: str = "auto") -> str:
    """The largest of LEANS that keeps the specificity goes into the model's configuration; all are shown.

    The model's sum changes with it, so that confidences are to be fitted afterwards. Raises ModelError for an encoder
    that finds nothing, or where none of LEANS keeps the specificity.
    """
    model = load_model(model_folder, device=device, dtype=dtype)
    config = model.spec.encoder
    if not config.findings:
        raise ModelError(f"{model_folder}: its encoder was trained to find nothing, so it can lean to nothing")
    recordings = recordings_for(config, data, SPLITS["validation"])
    probabilities, tokens, _ = encode_all(model.ensemble, recordings)
    points = []
    model.operating_point = SENSITIVE
    for lean in LEANS:
        model.spec = replace(model.spec, sensitive=lean)
        points.append(OperatingPoint.of(lean, write_reports(model, probabilities, tokens), recordings.texts))
    kept = [point.lean for point in points if point.lean and point.specificity >= LEAST_SPECIFICITY]
    table = "\n".join(
        f"| {point.lean:g} | {point.sensitivity:.3f} | {point.specificity:.3f} | {point.f1:.3f} |" for point in points
    )
    if not kept:
        raise ModelError(
            f"{model_folder}: leaning at all, it calls more than a tenth of the normal ECGs abnormal\n{table}"
        )
    write_json(Path(model_folder) / CONFIG, asdict(replace(model.spec, sensitive=max(kept))))
    head = (
        "| added to the logits of abnormal findings | sensitivity | specificity | statement F1 |\n|---|---|---|---|\n"
    )
    return f"{head}{table}\n\n{len(recordings)} recordings; the sensitive operating point adds {max(kept):g}."
