"""The benchmark's tasks: a row each, with a version, what it needs, and the tables that its results fill.

`meit evaluate` and `meit table` know of tasks what stands here. A version goes up when a change makes other numbers of
the same model and data; results.json states it, and results of unlike versions are not to be compared.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from meit.errors import MeitError

NGRAMS = ("bleu_1", "bleu_2", "bleu_3", "bleu_4", "meteor", "rouge_1", "rouge_2", "rouge_l", "cider_d")
BERT = ("bertscore_p", "bertscore_r", "bertscore_f1")
RATED_AXES = ("medical_terminology", "logical_consistency", "completeness", "diagnostic_accuracy")
FINDING_METRICS = (
    "statement_f1",
    "hallucinated",
    "omitted",
    "missed_critical",
    "abnormal_sensitivity",
    "abnormal_specificity",
)
TOKEN_METRICS = ("statement_f1", "another_identical", "another_f1", "shuffled_f1", "findings_f1", "looked_up_f1")
DATA, BACKBONE = "data.0.folder", "model.backbone"  # dotted paths in results.json


@dataclass(frozen=True)
class Table:
    """keys: what tells its rows apart, by dotted path in results.json; metrics: its columns."""

    keys: tuple[str, ...]
    metrics: tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """function: "module:name" below meit.benchmark, imported when it runs; it returns its table as text.

    takes: the options that are handed to it by name. needs: those it cannot do without, and what to say then. split:
    where none is asked for.
    """

    function: str
    version: int
    takes: tuple[str, ...]
    split: str = "test"
    needs: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Table] = field(default_factory=dict)


_PLACED = ("model_folder", "data", "out", "split", "device", "dtype", "operating_point")
_COMMON = (*_PLACED, "quantised", "scoring")
_MODEL_ROWS = (DATA, BACKBONE, "model.name")
TASKS = {
    "quality": Task(
        "tasks.report_quality:evaluate_quality",
        version=1,
        takes=_COMMON,
        tables={
            "backbones": Table(_MODEL_ROWS, NGRAMS),
            "bertscore": Table(_MODEL_ROWS, BERT),
            "findings": Table(_MODEL_ROWS, FINDING_METRICS),
            "fusion": Table((DATA, BACKBONE, "model.fusion", "model.encoder_tokens"), NGRAMS),
            "instructions": Table((DATA, BACKBONE, "model.training.recipe.instructions"), NGRAMS),
            "size": Table((DATA, BACKBONE, "model.parameters"), NGRAMS),
            "training-size": Table((DATA, BACKBONE, "model.training.recipe.share"), NGRAMS + FINDING_METRICS),
            "time": Table((DATA, BACKBONE, "model.training.hardware", "model.training.seconds"), ()),
        },
    ),
    "zero-shot": Task(
        "tasks.zero_shot:evaluate_zero_shot",
        version=1,
        takes=(*_COMMON, "tuned_on"),
        split="all",  # the model has seen none of them
        needs={"tuned_on": "--tuned-on DATA...: the prepared folders that the model was tuned on"},
        tables={"zero-shot": Table(("tuned_on.0", DATA, BACKBONE), NGRAMS + FINDING_METRICS)},
    ),
    "noise": Task(
        "tasks.noise_robustness:evaluate_noise",
        version=1,
        takes=(*_COMMON, "chosen", "nstdb"),
        tables={"noise": Table((DATA, BACKBONE, "noise", "level"), NGRAMS + FINDING_METRICS)},
    ),
    "expert": Task(
        "tasks.annotations:evaluate_expert",
        version=1,
        takes=(*_COMMON, "table"),
        needs={"table": "--table: PTB-XL's ptbxl_database.csv, which says who annotated what"},
        tables={"expert": Table((DATA, BACKBONE), RATED_AXES)},
    ),
    "grounding": Task(
        "tasks.evidence:evaluate_grounding",
        version=1,
        takes=_PLACED,
    ),
    "tokens": Task(
        "tasks.ecg_reading:evaluate_tokens",
        version=1,
        takes=(*_PLACED, "quantised"),
        split="validation",
        tables={"tokens": Table(_MODEL_ROWS, TOKEN_METRICS)},
    ),
    "statements": Task(
        "tasks.statement_worth:evaluate_statements",
        version=1,
        takes=(*_PLACED, "quantised", "coded"),
        split="validation",
    ),
}
TABLES = {name: (task_name, table) for task_name, task in TASKS.items() for name, table in task.tables.items()}


def run_task(name: str, options: Mapping[str, Any]) -> str:
    """Does a task; returns its table. Under torchrun each process drafts its share, the first one scores and writes, and the
    others return "". options: of all tasks, those not given None, empty or absent, but for "split".

    Raises MeitError where the task needs an option that is not given, and what the task raises.
    """
    task = TASKS[name]
    for option, remedy in task.needs.items():
        if not options.get(option):
            raise MeitError(f"--task {name} needs {remedy}")
    module, function = task.function.split(":")
    given = {option: options[option] for option in task.takes if option in options}
    given["split"] = options["split"] or task.split
    from meit.model.sharing import join  # it takes numpy, without which the command line is read

    join()
    return getattr(import_module(f"meit.benchmark.{module}"), function)(**given)
