"""Which files belong together; what a watched folder takes in."""

import shutil

from hypothesis import given
from hypothesis import strategies as st
from stations import EXAMPLES

from meit.station.intake import grouped
from meit.station.store import open_store
from meit.station.store.recordings import files_of, worklist
from meit.station.watching import Watch


def test_files_of_one_recording():
    names = ["b.dat", "b.hea", "a.npy", "a.json", "c.xml", "b.xml", "d.json", "e.csv", "x.HEA", "x.dat", "b.hea.bak"]
    assert grouped(names) == [
        ["a.npy", "a.json"], ["b.hea", "b.dat"], ["b.hea.bak"], ["b.xml"], ["c.xml"], ["d.json"], ["e.csv"],
        ["x.HEA", "x.dat"],
    ]  # fmt: skip


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
    shutil.copy(header, folder / "again.hea")  # without its signal: a recording of its own, which drafting will refuse
    (folder / "link.csv").symlink_to("/etc/passwd")
    (folder / ".hidden.csv").write_text("1")
    (folder / "unfinished.tmp").write_text("1")
    watch.once()
    assert watch.once() == 1 and len(worklist(store).entries) == 2
    assert Watch(store, folder).once() == 0  # after a restart all is known
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
