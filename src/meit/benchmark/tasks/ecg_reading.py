"""Task `tokens`, does the language model read the ECG: drafts with its ECG tokens exchanged, zeroed and hidden.

    own                        each recording's own ECG tokens, as it is drafted
    another patient's          all ECG tokens of another patient's recording (baselines.other_patient)
    ... signal, own findings   where a part of the tokens tells findings (finding_tokens): only the other part exchanged
    ... findings, own signal   only that part exchanged
    zeroed                     the projector's output, zeroed
    hidden                     by the attention mask
    another patient's draft    own drafts exchanged in the same way: what a text gains that knows nothing of its ECG
    findings, no text          the encoder's findings above a threshold themselves, with nothing said of them
    looked up, no model        of the training reports that state nearest to those findings, the commonest

A language model that reads writes another patient's report of another patient's tokens: few drafts stay as they were. Where
it is given nothing else of the recording, these drafts are the other patient's own, and the two rows are equal. The
threshold is the model's plan; for a model without, the one of best F1 on the recordings at hand, which flatters the last
two rows.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from meit.atomic import write_json, write_jsonl, write_text
from meit.benchmark.set_scores import set_scores
from meit.benchmark.tables.metric_tables import markdown_table, metrics_json, results_json
from meit.benchmark.tasks.baselines import commonest_of_nearest, other_patient
from meit.benchmark.tasks.comparison import SHUFFLE_SEED, data_identity, model_identity
from meit.data.batches import EcgSet
from meit.data.shards import read_all_reports
from meit.data.splits import SPLITS, folds_of
from meit.drafting import report_writing
from meit.model.encoders.encoding import encode_all, recordings_for
from meit.model.operating_points import BALANCED
from meit.model.report_model import ReportModel, load_model
from meit.model.sharing import gathered, is_first, share
from meit.patient_bootstrap import Metric, bootstrapped, patient_index
from meit.reports.statements import asserted, read_statements
from meit.training.targets import best_threshold, plans, targets_of

OWN, ANOTHERS, ZEROED, HIDDEN = "own", "another patient's", "zeroed", "hidden"
ANOTHERS_SIGNAL, ANOTHERS_FINDINGS = "another patient's signal, own findings", "another patient's findings, own signal"
SHUFFLED_DRAFTS, FINDINGS, LOOKED_UP = "another patient's draft", "findings, no text", "looked up, no model"
SHOWN_WAYS = {  # in results.json's metrics, short
    "another": ANOTHERS,
    "zeroed": ZEROED,
    "hidden": HIDDEN,
    "shuffled": SHUFFLED_DRAFTS,
    "findings": FINDINGS,
    "looked_up": LOOKED_UP,
}
_OF_AXIS = "axis:"  # before the code of an axis, in an encoder's findings


def evaluate_tokens(
    model_folder: Path,
    data: Sequence[Path],
    out: Path,
    split: str = "validation",
    quantised: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    operating_point: str = BALANCED,
) -> str:
    """Writes results.json, predictions.jsonl and table.md to `out`; returns the table. Intervals: 95%, 1,000 bootstraps over
    patients. Raises DataError, also where one patient has more than half of the recordings, and ModelError."""
    model = load_model(model_folder, quantised, device, dtype, operating_point)
    test = recordings_for(model.spec.encoder, data, folds_of(split))
    swap = other_patient(test.patients, SHUFFLE_SEED)
    probabilities, tokens, _ = encode_all(model.ensemble, test, share(len(test)))
    parts = zip(*gathered([(probabilities, tokens)]), strict=True)
    probabilities, tokens = map(torch.cat, parts)
    drafts = written_of(model, probabilities, tokens, swap)
    if not is_first():
        return ""
    drafts[SHUFFLED_DRAFTS] = [drafts[OWN][index] for index in swap]
    named, threshold = _without_language(model, data, test, probabilities, drafts)
    patients, reference = test.patients, _codes_of(test.texts)
    scores, differences = set_scores(list(named), list(zip(*named.values(), strict=True)), reference, patients)
    same = {name: _identical(texts, drafts[OWN], patients) for name, texts in drafts.items() if name != OWN}
    rows = {
        name: ({"identical": same[name]} if name in same else {})
        | {each: found[each] for each in ("precision", "recall", "f1") if each in found}
        | ({"f1 minus own": differences[name]["f1"]} if "f1" in differences.get(name, ()) else {})
        for name, found in scores.items()
    }
    distinct = {name: len(set(texts)) for name, texts in drafts.items()}
    text = (
        f"n = {len(test)} recordings, {split} split; findings above {threshold:.2f}\n\n{markdown_table(rows)}\n"
        f"Distinct drafts: {', '.join(f'{count} {name}' for name, count in distinct.items())}.\n"
    )
    kept = {f"statement_{name}": scores[OWN][name] for name in ("precision", "recall", "f1") if name in scores[OWN]}
    for short, name in SHOWN_WAYS.items():
        kept |= {f"{short}_identical": same[name]} if name in same else {}
        kept |= {f"{short}_f1": scores[name]["f1"]} if "f1" in scores.get(name, ()) else {}
    extra = {
        "split": split,
        "threshold": threshold,
        "distinct_drafts": distinct,
        "ways": {name: metrics_json(row) for name, row in rows.items()},
    }
    result = results_json("tokens", len(test), model_identity(model, quantised), data_identity(data), kept, extra)
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "results.json", result)
    about = zip(test.column("record_id"), test.texts, zip(*drafts.values(), strict=True), strict=True)
    write_jsonl(
        out / "predictions.jsonl",
        (
            {"record_id": name, "reference": there, **dict(zip(drafts, said, strict=True))}
            for name, there, said in about
        ),
    )
    write_text(out / "table.md", text)
    return text


@torch.inference_mode()
def written_of(model: ReportModel, probabilities: Tensor, tokens: Tensor, swap: np.ndarray) -> dict[str, list[str]]:
    """Drafts of N recordings in each way of this module's docstring that the language model writes; (N, F), (N, S, width)
    as the encoder gave them, swap (N,) whose tokens each is given. Of several processes each writes its share."""
    findings, signal = probabilities[swap], tokens[swap]
    ways = {OWN: (probabilities, tokens), ANOTHERS: (findings, signal)}
    if model.spec.finding_tokens:
        ways |= {ANOTHERS_SIGNAL: (probabilities, signal), ANOTHERS_FINDINGS: (findings, tokens)}
    mine = share(len(tokens))
    drafts = {}
    with tqdm(total=len(ways) * len(mine), desc="drafting", unit="ECG", disable=not is_first()) as bar:
        for name, (found, seen_as) in ways.items():
            drafts[name] = gathered(report_writing.write_reports(model, found[mine], seen_as[mine], done=bar.update))
    # without its tokens one recording is like any other: written once
    nothing = torch.zeros(1, model.spec.n_tokens, model.spec.hidden, device=model.device)
    for name, seen in ((ZEROED, None), (HIDDEN, torch.zeros(1, model.spec.n_tokens))):
        drafts[name] = model.write(nothing, seen, report_writing.MAX_NEW_TOKENS) * len(tokens)
    return drafts


def _without_language(
    model: ReportModel, data: Sequence[Path], test: EcgSet, probabilities: Tensor, drafts: dict[str, list[str]]
) -> tuple[dict[str, list[frozenset[str]]], float]:
    """The codes that each way names, the findings' own and the looked-up texts' with them (these are added to drafts), and
    the threshold. An encoder that was trained to find nothing has neither."""
    config = model.spec.encoder
    named = {name: _codes_of(texts) for name, texts in drafts.items()}
    if not config.findings:
        return named, 0.0
    found = probabilities.numpy()
    threshold = model.spec.plan or best_threshold(found, targets_of(test.reports, config))
    planned = (found >= threshold).astype(np.float32)
    codes = np.array([name.removeprefix(_OF_AXIS) for name in config.findings])
    named[FINDINGS] = [frozenset(codes[row > 0].tolist()) for row in planned]
    reports = read_all_reports(data, SPLITS["train"])
    if reports:
        texts = [report.text for report in reports]
        drafts[LOOKED_UP] = commonest_of_nearest(plans(targets_of(reports, config)), texts, planned)
        named[LOOKED_UP] = _codes_of(drafts[LOOKED_UP])
    return named, threshold


def _codes_of(texts: Sequence[str]) -> list[frozenset[str]]:
    return [frozenset(asserted(read_statements(text))) for text in texts]


def _identical(texts: Sequence[str], own: Sequence[str], patients: Sequence) -> Metric:
    same = np.array([one == other for one, other in zip(texts, own, strict=True)], float)
    found = bootstrapped(lambda rows: float(same[rows].mean()), patient_index(patients))
    assert found is not None  # there are recordings
    return found
