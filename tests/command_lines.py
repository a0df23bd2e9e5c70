"""A small world in which every command can run, and a command line that does; what is a Path in a line is a path."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np

EXAMPLES = Path(__file__).parents[1] / "examples" / "ptb-xl"
NO_SERVER = "http://127.0.0.1:9"  # nobody listens there
_ECG = Path("ecgs/00195_hr.hea")

# command -> its lines. Outputs lie below "results".
LINES: dict[str, list[list[str | Path]]] = {
    "report": [
        [_ECG, "--model", Path("model"), "--out", Path("results/out")],
        [Path("ecgs"), "--model", Path("model"), "--out", Path("results/out/deeper")],
    ],
    "deidentify": [[Path("ecgs"), "--out", Path("results/out"), "--key", Path("secret.key")]],
    "serve": [
        [
            *("--check", "--database", "sqlite:///results/out.db", "--watch", Path("ecgs"), "--examples", Path("ecgs")),
            *("--model", Path("model")),
        ]
    ],
    "download": [["ptb-xl", Path("results/out"), "--base", NO_SERVER]],
    "prepare ptb-xl": [[Path("ptb-xl"), Path("results/out"), "--challenge", Path("challenge")]],
    "prepare mimic-iv-ecg": [[Path("mimic"), Path("results/out")]],
    "prepare folder": [
        [Path("ecgs"), Path("results/out"), "--reports", Path("reports.csv"), "--key", Path("secret.key")]
    ],
    "prepare arrays": [[Path("arrays.npz"), Path("ptb-xl/ptbxl_database.csv"), Path("results/out"), "--unit", "mV"]],
    "data check": [[Path("data")]],
    "data stats": [[Path("data"), "--plot", Path("results/out.png")]],
    "train": [[Path("recipe.yaml")]],
    "calibrate": [[Path("model"), Path("data")]],
    "merge": [[Path("model"), Path("results/out")]],
    "models": [[]],
    "evaluate": [
        [Path("model"), Path("data"), "--out", Path("results/out")],
        [Path("model"), Path("data"), "--task", "zero-shot", "--tuned-on", Path("other"), "--out", Path("results/out")],
        [
            *(Path("model"), Path("data"), "--task", "noise", "--noises", "baseline wander=6"),
            *("--nstdb", Path("nstdb"), "--out", Path("results/out")),
        ],
        [
            *(Path("model"), Path("data"), "--task", "expert", "--table", Path("ptb-xl/ptbxl_database.csv")),
            *("--out", Path("results/out")),
        ],
        [Path("model"), Path("data"), "--task", "grounding", "--out", Path("results/out")],
        [
            *(Path("model"), Path("data"), "--task", "statements", "--coded", Path("ecgs")),
            *("--out", Path("results/out")),
        ],
    ],
    "study export": [[Path("evaluated"), Path("data"), "-n", "2", "--out", Path("results/out")]],
    "study score": [[Path("study"), Path("anna.csv"), "--out", Path("results/out")]],
    "study judge": [
        [
            *(Path("evaluated"), "judge", "--endpoint", NO_SERVER, "--study", Path("study")),
            *("--ratings", Path("anna.csv"), "--out", Path("results/out")),
        ]
    ],
    "table": [
        [
            *("size", Path("evaluated"), "--published", Path("published.csv"), "--plot", Path("results/curves")),
            *("--out", Path("results/out.md")),
        ]
    ],
}


def make_world(folder: Path, model, backbone: Path, simulated: Path) -> None:
    """All that LINES name. model: a ReportModel to save; backbone: the folder of a tiny one; simulated: prepared data."""
    (folder / "results").mkdir()
    model.save(folder / "model")
    shutil.copytree(EXAMPLES, folder / "ecgs")
    for name in ("data", "other"):
        shutil.copytree(simulated, folder / name)
    _write_sources(folder)
    _write_evaluated(folder)
    settings = {"name": "tiny", "backbone": str(backbone), "data": ["data"], "out": "results/out", "pretrain_epochs": 1}
    _write_yaml(folder / "recipe.yaml", settings | {"tune_epochs": 1, "finding_tokens": 2})
    (folder / "secret.key").write_text("0f" * 32 + "\n")
    (folder / "published.csv").write_text("table,row,metric,value,source\nsize,theirs,bleu_1,0.5,a paper\n")


def _write_yaml(path: Path, values: dict) -> None:
    path.write_text("\n".join(f"{key}: {json.dumps(value)}" for key, value in values.items()))


def _write_rows(path: Path, rows: list[dict]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)


def _write_sources(folder: Path) -> None:
    """What `meit prepare` takes: two public data sets in their layouts, own files, arrays."""
    import wfdb

    official = folder / "ptb-xl"
    names = sorted({path.stem for path in EXAMPLES.glob("*.hea")})
    about = {"patient_id": 7.0, "age": 60.0, "sex": 0, "report": "sinus rhythm. normal ecg.", "heart_axis": "MID"}
    about |= {"scp_codes": "{'NORM': 100.0, 'SR': 0.0}", "validated_by_human": True}
    rows = [
        {"ecg_id": number, **about, "strat_fold": number + 1, "filename_hr": f"records500/{name}"}
        for number, name in enumerate(names)
    ]
    official.mkdir()
    shutil.copytree(EXAMPLES, official / "records500")
    _write_rows(official / "ptbxl_database.csv", rows)
    (folder / "challenge").mkdir()
    shutil.copy(_header(folder), folder / "challenge" / "HR00001.hea")

    mimic = folder / "mimic"
    shutil.copytree(EXAMPLES, mimic / "files")
    path = f"files/{names[0]}"
    _write_rows(mimic / "record_list.csv", [{"subject_id": 1, "study_id": 1, "file_name": names[0], "path": path}])
    values = dict.fromkeys(("rr_interval", "p_onset", "p_end", "qrs_onset", "qrs_end", "t_end"), 29_999)
    values |= dict.fromkeys(("p_axis", "qrs_axis", "t_axis"), 29_999)
    _write_rows(mimic / "machine_measurements.csv", [{"study_id": 1, "report_0": "Sinus rhythm", **values}])

    own = [{"file": f"{name}.hea", "patient_id": name, "report": "Sinus rhythm.", "fold": 1} for name in names]
    _write_rows(folder / "reports.csv", own)
    leads = ["I", "II", "III", "aVR", "aVL", "aVF", "V1", "V2", "V3", "V4", "V5", "V6"]
    signal = np.random.default_rng(0).integers(-1000, 1000, (2, 1000, 12)).astype(np.int16)
    np.savez(folder / "arrays.npz", ecg_id=np.array([0, 1]), x=signal, scale=0.001, leads=np.array(leads), fs=100)
    (folder / "nstdb").mkdir()
    for name in ("bw", "ma", "em"):
        noise = np.random.default_rng(1).normal(0, 0.3, (20_000, 2))
        wfdb.wrsamp(name, 360, ["mV"] * 2, ["n1", "n2"], noise, fmt=["16"] * 2, write_dir=str(folder / "nstdb"))


def _header(folder: Path) -> Path:
    return folder / _ECG


def _write_evaluated(folder: Path) -> None:
    """What `meit evaluate` and `meit study export` left, and a rater filled in."""
    from meit.benchmark.raters.rating_study import export_study
    from meit.benchmark.raters.rubric import rubric

    evaluated = folder / "evaluated"
    evaluated.mkdir()
    lines = [{"record_id": str(number), "reference": "slow", "model": "fast"} for number in range(30)]
    (evaluated / "predictions.jsonl").write_text("\n".join(map(json.dumps, lines)))
    model = {"name": "tiny", "backbone": "llama", "parameters": 1000}
    metrics = {name: {"value": 0.5, "ci95": [0.4, 0.6]} for name in ("bleu_1", "bleu_4", "rouge_l", "cider_d")}
    result = {"task": "quality", "n": 30, "model": model, "data": [{"source": "simulated"}], "metrics": metrics}
    (evaluated / "results.json").write_text(json.dumps(result))
    export_study(evaluated, [folder / "data"], folder / "study", n=2)
    with (folder / "study" / "ratings.csv").open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    _write_rows(folder / "anna.csv", [row | dict.fromkeys(rubric().keys, 3) for row in rows])
