"""Searches recordings for what is measured, critical, and told to nobody: neither mentioned in the text, nor named in its
warnings, nor read first. Prints each, and how many there are: it has to be 0.

    python benchmarks/unsaid_criticals.py FOLDER... [--model MODEL] [--every 1]

Each recording is measured once and held against several texts that could be drafted of any ECG; with --model its own
draft is one of them.
"""

import argparse
from collections import Counter
from pathlib import Path

from tqdm import tqdm

from meit.drafting.checks.grounding import ground
from meit.drafting.checks.grounding_rules import SexAge
from meit.drafting.checks.urgency import Urgency, urgency_of
from meit.drafting.checks.urgent_findings import urgent_findings
from meit.drafting.draft import draft_report
from meit.drafting.draft_types import Draft, RecordingInfo
from meit.drafting.examine import Examined, examine
from meit.ecg.files.formats import find_recordings, read_ecg
from meit.errors import MeitError
from meit.reports.statements import asserted, read_statements

TEXTS = (
    "",
    "Sinus rhythm.",
    "Sinus rhythm. Normal ECG.",
    "Possible old inferior myocardial infarction.",
    "No acute myocardial infarction. No ST elevation. No AV block.",
    "Possible early repolarization. Left ventricular hypertrophy.",
    "Sinus bradycardia. Otherwise normal ECG.",
    "Possible atrial fibrillation. Possible long QT interval.",
    "Paced rhythm.",
)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("folders", type=Path, nargs="+")
    options.add_argument("--model", type=Path)
    options.add_argument("--every", type=int, default=1, help="look at every n-th recording")
    args = options.parse_args()
    model = None
    if args.model:
        from meit.model.report_model import load_model

        model = load_model(args.model)
    files = [file for folder in args.folders for file in find_recordings(folder)][:: args.every]
    found, unread, unsaid, at_stake = Counter(), 0, 0, 0
    for file in tqdm(files, unit="ECG"):
        try:
            examined = examine(read_ecg(file, allow_missing=True))
        except MeitError:
            unread += 1
            continue
        drafts = [written(text, examined) for text in TEXTS]
        if model is not None and not examined.unusable and not examined.recording.missing:
            drafts.append(draft_report(model, examined))
        patient = SexAge(examined.recording.patient.sex, examined.recording.patient.age)
        urgent = urgent_findings(examined.measurements, patient)
        found.update(one.row.finding for one in urgent)
        for draft in drafts:
            at_stake += len(urgent)
            for one in silent(draft, urgent):
                unsaid += 1
                tqdm.write(f"{file}: '{draft.report}' says nothing of {one}")
    looked_at = len(files) - unread
    print(
        f"{looked_at} recordings ({unread} could not be read), {at_stake} findings held against a text: {dict(found)}"
    )
    print(f"critical, measured, and told to nobody: {unsaid}")


def written(text: str, examined: Examined) -> Draft:
    recording, found = examined.recording, examined.measurements
    grounding = ground(text, found, recording.patient.sex, recording.patient.age)
    info = RecordingInfo.of(recording)
    return Draft(info, grounding.report, grounding.statements, grounding.warnings, None, None, found)


def silent(draft: Draft, urgent) -> list[str]:
    """The findings that the text asserts nowhere, no warning tells, and that do not put the draft first."""
    level, why = urgency_of(draft)
    said = asserted(read_statements(draft.report))
    return [
        one.row.finding
        for one in urgent
        if not (level == Urgency.CRITICAL and one.row.finding in why)
        and not said & {*one.row.codes, *one.row.unless}
        and not any(one.evidence.words in line for line in draft.warnings)
    ]


if __name__ == "__main__":
    main()
