"""SCP-ECG writers that count from 0: samples of the leads, bytes of the sections."""

import struct
from binascii import crc_hqx
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_files import EIGHT, write_scp
from support import reason

from meit.ecg.files.formats import read_ecg
from meit.ecg.files.vendor.scp import LEAD, N_POINTERS, POINTER, POINTERS, SECTION_HEADER, counted_from_one
from meit.ecg.recording import Recording


@pytest.fixture(scope="module")
def truth(ptb_xl_500) -> Recording:
    return read_ecg(ptb_xl_500)


def with_checksum(raw: bytearray, place: int, length: int) -> None:
    struct.pack_into("<H", raw, place, crc_hqx(bytes(raw[place + 2 : place + length]), 0xFFFF))


def samples_from_0(path: Path, last: int = 0) -> None:
    """last: added to the last sample's number."""
    raw = bytearray(path.read_bytes())
    _, length, place = struct.unpack_from("<HII", raw, POINTERS + 3 * POINTER)
    for n in range(raw[place - 1 + SECTION_HEADER]):
        at = place - 1 + SECTION_HEADER + 2 + n * LEAD.size
        first, end, code = LEAD.unpack_from(raw, at)
        LEAD.pack_into(raw, at, first - 1, end - 1 + last, code)
    with_checksum(raw, place - 1, length)
    path.write_bytes(raw)


def bytes_from_0(path: Path, itself: bool) -> None:
    """itself: whether section 0 points to itself so too."""
    raw = bytearray(path.read_bytes())
    for n in range(N_POINTERS):
        at = POINTERS + n * POINTER
        _, length, place = struct.unpack_from("<HII", raw, at)
        if length and (n or itself):
            struct.pack_into("<I", raw, at + 6, place - 1)
    with_checksum(raw, 6, struct.unpack_from("<I", raw, 10)[0])
    path.write_bytes(raw)


@pytest.mark.parametrize(("huffman", "order"), [(False, 0), (False, 1), (True, 2)])
@pytest.mark.parametrize("leads", [EIGHT, None])
def test_samples_numbered_from_0(tmp_path, truth, huffman, order, leads):
    options = {"leads": leads} if leads else {}
    path = write_scp(tmp_path / "x.scp", truth, huffman=huffman, order=order, **options)
    expected = read_ecg(path)
    samples_from_0(path)
    recording = read_ecg(path)
    np.testing.assert_array_equal(recording.signal, expected.signal)
    assert (recording.patient, recording.start) == (expected.patient, expected.start)


def test_the_last_sample_is_the_number_of_samples(tmp_path, truth):
    path = write_scp(tmp_path / "x.scp", truth)
    expected = read_ecg(path).signal
    samples_from_0(path, last=1)
    np.testing.assert_array_equal(read_ecg(path).signal, expected)


@pytest.mark.parametrize("itself", [True, False])
@pytest.mark.parametrize("samples", [True, False])
def test_sections_pointed_to_from_0(tmp_path, truth, itself, samples):
    path = write_scp(tmp_path / "x.scp", truth)
    expected = read_ecg(path).signal
    bytes_from_0(path, itself)
    if samples:
        raw = bytearray(path.read_bytes())
        _, length, place = struct.unpack_from("<HII", raw, POINTERS + 3 * POINTER)
        for n in range(12):
            first, end, code = LEAD.unpack_from(raw, at := place + SECTION_HEADER + 2 + n * LEAD.size)
            LEAD.pack_into(raw, at, first - 1, end - 1, code)
        with_checksum(raw, place, length)
        path.write_bytes(raw)
    np.testing.assert_array_equal(read_ecg(path).signal, expected)


def test_what_the_standard_says_is_left_alone(tmp_path, truth):
    path = write_scp(tmp_path / "x.scp", truth, huffman=True)
    assert counted_from_one(path.read_bytes()) is None


def test_damage_is_not_mended(tmp_path, truth):
    path = write_scp(tmp_path / "x.scp", truth)
    samples_from_0(path)
    raw = bytearray(path.read_bytes())
    _, _, place = struct.unpack_from("<HII", raw, POINTERS + 3 * POINTER)
    raw[place - 1] ^= 0xFF  # the checksum of section 3
    path.write_bytes(raw)
    assert "checksum" in reason(path)


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_are_repaired_or_not(raw):
    repaired = counted_from_one(raw)
    assert repaired is None or len(repaired) == len(raw)
