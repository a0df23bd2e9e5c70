"""Which files belong together; what a watched folder takes in."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stations import EXAMPLES

from meit.station.intake import grouped, is_half
from meit.station.store import open_store
from meit.station.store.recording_entries import files_of, worklist
from meit.station.watching import Watch
from meit.station.work.worker import read_files


def test_files_of_one_recording():
    names = ["b.dat", "b.hea", "a.npy", "a.json", "c.xml", "b.xml", "d.json", "e.csv", "x.HEA", "x.dat", "b.hea.bak"]
    assert grouped(names) == [
        ["a.npy", "a.json"],
        ["b.hea", "b.dat"],
        ["b.hea.bak"],
        ["b.xml"],
        ["c.xml"],
        ["d.json"],
        ["e.csv"],
        ["x.HEA", "x.dat"],
    ]


@given(st.lists(st.from_regex(r"[ab]{0,2}\.(hea|dat|npy|json|csv|xml|)", fullmatch=True), unique=True))
def test_every_file_is_in_one_group(names):
    assert sorted(name for group in grouped(names) for name in group) == sorted(names)


def test_a_watched_folder_waits_until_files_are_whole(tmp_path):
    store = open_store(f"sqlite:///{tmp_path / 'station.db'}")
    folder = tmp_path / "in"
    (folder / "ward").mkdir(parents=True)
    watch = Watch(store, folder)
    header, signal = (EXAMPLES / f"00195_hr.{suffix}" for suffix in ("hea", "dat"))
    shutil.copy(header, folder / "ward")
    (folder / "ward" / signal.name).write_bytes(signal.read_bytes()[:1000])
    assert watch.once() == 0  # nothing has settled
    shutil.copy(signal, folder / "ward")
    assert watch.once() == 0  # it has grown since
    assert watch.once() == 1 and watch.once() == 0
    (entry,) = worklist(store).entries
    assert files_of(store, entry.id) == {one.name: one.read_bytes() for one in (header, signal)}
    shutil.copy(header, folder / "again.hea")  # its signal is still to come
    (folder / "link.csv").symlink_to("/etc/passwd")
    (folder / ".hidden.csv").write_text("1")
    (folder / "unfinished.tmp").write_text("1")
    assert [watch.once() for _ in range(3)] == [0, 0, 0]
    late = Watch(store, folder, patience=0)  # that nobody sends it is shown: drafting will refuse the header alone
    assert [late.once() for _ in range(3)] == [0, 1, 0] and len(worklist(store).entries) == 2
    again = Watch(store, folder)
    assert [again.once() for _ in range(3)] == [0, 0, 0]  # after a restart all is known
    store.close()


def test_halves_wait_for_each_other():
    assert all(is_half([name]) for name in ("a.hea", "a.dat", "a.MAT")) and not is_half(["a.hea", "a.dat"])
    assert is_half(["a.hea", "a.atr"]) and not any(is_half([name]) for name in ("a.csv", "a.npy", "a.xml", "a.json"))


def test_a_file_that_cannot_be_read_is_tried_again(tmp_path, monkeypatch):
    folder = tmp_path / "in"
    folder.mkdir()
    shutil.copy(EXAMPLES / "00041_lr.hea", folder)
    shutil.copy(EXAMPLES / "00041_lr.dat", folder)
    store = open_store(f"sqlite:///{tmp_path / 'station.db'}")
    watch, read = Watch(store, folder), Path.read_bytes

    def locked(path):
        raise PermissionError(13, "Permission denied")

    watch.once()
    monkeypatch.setattr(Path, "read_bytes", locked)
    assert watch.once() == 0
    monkeypatch.setattr(Path, "read_bytes", read)
    assert [watch.once() for _ in range(2)] == [1, 0]
    store.close()


def test_a_name_that_cannot_be_taken_holds_up_nothing(tmp_path, caplog):
    """Carts write times into names; the log says that one was left out, and not which."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("00041_lr.hea", "00041_lr.dat"):
        (folder / name).write_bytes((EXAMPLES / name).read_bytes())
    (folder / "0000 Smith 12:30.csv").write_text("I,II\n0,0\n")
    store = open_store(f"sqlite:///{tmp_path / 'station.db'}")
    watch = Watch(store, folder)
    assert [watch.once() for _ in range(3)] == [0, 1, 0]
    assert [entry.name for entry in worklist(store).entries] == ["00041_lr"]
    assert caplog.text.count("was left out") == 1 and "Smith" not in caplog.text
    store.close()


HEADERS = {  # a recording in three files; one of two segments with a layout, of which one signal is named otherwise
    "s0010.hea": b"s0010 3 1000 100\ns0010.dat 16 2000 16 0 0 0 0 i\nS0010.xyz 16 2000 16 0 0 0 0 vx\nold.sig 16 1\n",
    "m.hea": b"# a remark\nm/3 2 500 200\nm_layout 0\nm_1 100\n~ 100\nm_2 100\n",
    "m_layout.hea": b"m_layout 2 500 0\n~ 0 200 16 0 0 0 0 I\n~ 0 200 16 0 0 0 0 II\n",
    "m_1.hea": b"m_1 1 500 100\nm_1.dat 16 200 16 0 0 0 0 I\n",
    "m_2.hea": b"m_2 1 500 100\nother.bin 16 200 16 0 0 0 0 II\n",
    "text.hea": b"no header at all",
}
PARTS = ["s0010.dat", "s0010.XYZ", "old.sig", "m_1.dat", "other.bin", "text.dat", "x.xyz"]


def read(name: str) -> bytes:
    return HEADERS.get(name, b"")


def test_what_a_header_names_belongs_to_it():
    groups = {group[0]: sorted(group[1:]) for group in grouped([*HEADERS, *PARTS], read)}
    assert groups == {
        "m.hea": ["m_1.dat", "m_1.hea", "m_2.hea", "m_layout.hea", "other.bin"],
        "s0010.hea": ["old.sig", "s0010.XYZ", "s0010.dat"],
        "text.hea": ["text.dat"],
        "x.xyz": [],
    }
    assert not is_half(["s0010.hea", "s0010.dat", "s0010.XYZ", "old.sig"], read)
    assert is_half(["s0010.hea", "s0010.dat"], read) and is_half(["m.hea", "m_1.hea", "m_1.dat"], read)


def test_two_headers_that_name_one_file_both_have_it():
    headers = {"a.hea": b"a 1 500 9\nboth.dat 16 1\n", "b.hea": b"b 1 500 9\nboth.dat 16 1\n"}
    assert grouped([*headers, "both.dat"], headers.__getitem__) == [["a.hea", "both.dat"], ["b.hea", "both.dat"]]


def test_headers_that_name_each_other_end():
    headers = {"a.hea": b"a/1 1 500 9\nb 9\n", "b.hea": b"b/1 1 500 9\na 9\n"}
    assert sorted(name for group in grouped(headers, headers.__getitem__) for name in group) == ["a.hea", "b.hea"]


@given(st.dictionaries(st.from_regex(r"[ab]\.hea", fullmatch=True), st.binary(max_size=60), max_size=2))
def test_no_header_breaks_the_grouping(headers):
    names = [*headers, "a.dat", "b.xyz"]
    found = [name for group in grouped(names, lambda name: headers.get(name, b"")) for name in group]
    assert set(found) == set(names)


def test_a_real_recording_in_three_files_is_taken_in_whole(shared, tmp_path):
    """As they come in the worst order: the header names .dat and .xyz."""
    source = shared / "vendor" / "wfdb"
    if not source.is_dir():
        pytest.skip("needs the PTB sample")
    folder = tmp_path / "in"
    folder.mkdir()
    store = open_store(f"sqlite:///{tmp_path / 'station.db'}")
    watch = Watch(store, folder)
    taken = []
    for suffix in ("xyz", "hea", "dat"):
        shutil.copy(source / f"s0010_re.{suffix}", folder)
        taken += [watch.once() for _ in range(3)]
    assert sum(taken) == 1 and taken[-2] == 1
    (entry,) = worklist(store).entries
    files = files_of(store, entry.id)
    assert set(files) == {"s0010_re.dat", "s0010_re.hea", "s0010_re.xyz"}
    recording = read_files(files)
    assert recording.rate == 1000 and recording.patient.age == 81 and recording.missing == ()
    store.close()
