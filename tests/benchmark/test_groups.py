"""Scores by sex and age group."""

from types import SimpleNamespace

from meit.benchmark.finding_scores import by_group


def test_each_group_is_scored_on_its_own_recordings():
    rows = (
        ("F", 30, "Sinus rhythm."),
        ("F", 60, "Sinus rhythm."),
        ("M", 90, "Atrial fibrillation."),
        (None, None, "Paced rhythm."),
    )
    reports = [
        SimpleNamespace(sex=sex, age=age, text=text, patient_id=str(n)) for n, (sex, age, text) in enumerate(rows)
    ]
    found = by_group(["Sinus rhythm."] * 4, reports)
    counts = {name: n for name, (n, _) in found.items()}
    assert counts == {"women": 2, "men": 1, "under 40 years": 1, "60 to 79 years": 1, "80 years and more": 1}
    assert found["women"][1]["statement_f1"].value == 1 and found["men"][1]["statement_f1"].value == 0
    assert found["men"][1]["missed_atrial_fibrillation"].value == 1
