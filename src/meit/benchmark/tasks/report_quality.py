"""Task 1, report quality: the drafts of a split against its reports, as the model wrote them and as a reader gets them,
beside three baselines."""

from collections.abc import Sequence
from pathlib import Path

from meit.benchmark.finding_scores import abnormality
from meit.benchmark.tasks.baselines import most_frequent_report, nearest_reports, other_patient
from meit.benchmark.tasks.comparison import (
    FREQUENT,
    MODEL,
    SHUFFLE_SEED,
    SHUFFLED,
    compare_systems,
    model_identity,
    training_texts,
)
from meit.benchmark.texts.scoring import Scoring
from meit.data.splits import SPLITS, folds_of
from meit.drafting.prepared_drafts import as_a_reader_gets
from meit.drafting.set_drafts import signal_features, write_drafts
from meit.model.encoders.encoding import recordings_for
from meit.model.operating_points import BALANCED
from meit.model.report_model import load_model
from meit.model.sharing import is_first

NEAREST = "nearest ECG"
AS_READ = (
    "model, with measured findings"  # and hedges: what a reader gets (meit.drafting.prepared_drafts.as_a_reader_gets)
)


def evaluate_quality(
    model_folder: Path,
    data: Sequence[Path],
    out: Path,
    split: str = "test",
    quantised: str | None = None,
    scoring: Scoring = Scoring(),
    device: str = "auto",
    dtype: str = "auto",
    operating_point: str = BALANCED,
) -> str:
    """Scores a model on a split; `meit.benchmark.tasks.comparison.compare` says what is written. Returns the table.

    CIDEr-D counts documents in the training reports. Under torchrun the first process scores and writes; the others
    return "". Raises DataError, ModelError.
    """
    scoring.check()  # what is absent shall say so now
    model = load_model(model_folder, quantised, device, dtype, operating_point)
    config = model.spec.encoder
    test = recordings_for(config, data, folds_of(split))
    train = recordings_for(config, data, SPLITS["train"])
    train_texts = training_texts(data)
    written = write_drafts(model, test)
    drafts = written.drafts
    read = as_a_reader_gets(model, test, written)
    train_features = signal_features(model, train)
    if not is_first():
        return ""
    swap = other_patient(test.patients, SHUFFLE_SEED)
    systems = {
        MODEL: drafts,
        AS_READ: read,
        FREQUENT: [most_frequent_report(train_texts)] * len(drafts),
        NEAREST: nearest_reports(train_features.numpy(), train.texts, written.features.numpy()),
        SHUFFLED: [drafts[index] for index in swap],
    }
    return compare_systems(
        "quality",
        systems,
        test,
        train_texts,
        Path(out),
        model=model_identity(model, quantised),
        data=data,
        split=split,
        scoring=scoring,
        abnormal=abnormality(config.findings, written.probabilities),
    )
