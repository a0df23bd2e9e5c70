"""What a model that knows some findings can never name."""

from meit.reports.gravity import CRITICAL, beyond


def test_critical_findings_without_a_code():
    assert beyond(()) == tuple(CRITICAL)
    assert beyond(["AFIB", "LNGQT", "IMI", "SR", "axis:LAD"]) == (
        "complete_av_block",
        "ventricular_tachycardia",
        "pacing",
    )
    assert "ventricular_tachycardia" not in beyond(["VFIB"])
    assert beyond(["AFIB", "3AVB", "AMI", "LNGQT", "VTACH", "PACE"]) == ()
