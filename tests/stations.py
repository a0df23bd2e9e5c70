"""What tests of the station begin with: people, recordings that are real, and drafts of them."""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
from sqlalchemy import func, select

from meit.drafting.checks.grounding import ground
from meit.drafting.draft_types import Draft, ModelInfo, RecordingInfo
from meit.drafting.examine import examine
from meit.ecg import read_ecg
from meit.ecg.measure import measure
from meit.ecg.recording import LEADS, Recording
from meit.station.accounts.accounts import Person, create_account, first_run_token, make_first_account
from meit.station.store.database import Store
from meit.station.store.recording_entries import add_recording
from meit.station.store.saved_drafts import save_draft
from meit.station.store.schema import Account, AccountRole, DraftRow, Role
from meit.station.viewer_document import document, signal_bytes
from meit.station.viewer_filters import choices

EXAMPLES = Path(__file__).parents[1] / "examples" / "ptb-xl"
PASSWORD = "correct horse battery staple"
MODEL = "0" * 64


def make_admin(store: Store) -> Person:
    """The first account, with every role."""
    return make_first_account(
        store, first_run_token(store), "Ada", "Dr. Ada Ärzte", "Consultant cardiologist", PASSWORD
    )


def make_person(store: Store, admin: Person, login: str, *roles: Role) -> Person:
    return create_account(store, admin.id, login, f"Dr. {login.title()}", "Physician", roles, PASSWORD)


def quick_reader(store: Store) -> int:
    """A reader whose password nobody knows: hashing takes its time."""
    with store.writing() as session:
        account = Account(login="reader", full_name="Dr. Reader", profession="Cardiologist", password_hash="none")
        session.add(account)
        session.flush()
        session.add(AccountRole(account_id=account.id, role=Role.READER))
        return account.id


def example_files(stem: str = "00195_hr") -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(EXAMPLES.glob(f"{stem}.*"))}


def ecg_files(number: int) -> dict[str, bytes]:
    """Files of a recording of its own for each number, as small as they may be: 5 s at 100 Hz."""
    import io

    time = np.arange(500) / 100
    beat = np.exp(-(((time * (1 + number % 7 / 5)) % 1 - 0.5) ** 2) / 0.002)
    signal = (beat[:, None] * np.linspace(0.3, 1.5, 12)).astype(np.float32)
    signal[0, 0] += number / 1e4
    buffer = io.BytesIO()
    np.save(buffer, signal)
    about = {"rate_hz": 100, "unit": "mV", "leads": list(LEADS)}
    return {f"ecg{number}.npy": buffer.getvalue(), f"ecg{number}.json": json.dumps(about).encode()}


def viewer_files(recording: Recording, folder: Path) -> None:
    """What the viewer asks for, as files: for a page without a station behind it."""
    allowed = choices(recording)
    for band in allowed["bands"]:
        for mains in allowed["mains"]:
            (folder / f"signal-{band}-{mains}.bin").write_bytes(signal_bytes(recording, band, mains))
    (folder / "view.json").write_text(json.dumps(document(examine(recording), "signal-{band}-{mains}.bin")))


@cache
def measured(stem: str = "00195_hr"):
    recording = read_ecg(EXAMPLES / stem)
    return recording, measure(recording)


def example_draft(report: str, model: str = MODEL, stem: str = "00195_hr") -> Draft:
    """A draft of an example that says `report`, held against what is measured on it as ever."""
    recording, measurements = measured(stem)
    grounding = ground(report, measurements, recording.patient.sex, recording.patient.age)
    return Draft(
        recording=replace(RecordingInfo.of(recording), source=f"{stem}.hea", start=None),
        report=grounding.report,
        statements=tuple(grounding.statements),
        warnings=tuple(grounding.warnings),
        model=ModelInfo("test", "0", model),
        measurements=measurements,
    )


def add_drafted(
    store: Store, report: str = "Sinus rhythm. Normal ECG.", number: int | None = None, patient_id: str | None = None
) -> int:
    """A recording with its draft; with a number, of files of its own."""
    recording_id, _ = add_recording(store, example_files() if number is None else ecg_files(number))
    with store.writing() as session:
        save_draft(session, recording_id, example_draft(report), patient_id)
    return recording_id


def add_draft(store: Store, recording_id: int, report: str, model: str) -> int:
    """Another model's draft of a recording of `add_drafted`; returns the draft's id."""
    with store.writing() as session:
        save_draft(session, recording_id, example_draft(report, model), None)
        return session.scalar(select(DraftRow.id).filter_by(recording_id=recording_id, model_sha256=model))


def count_drafts(store: Store, recording_id: int) -> int:
    with store.reading() as session:
        return session.scalar(select(func.count()).select_from(DraftRow).filter_by(recording_id=recording_id))
