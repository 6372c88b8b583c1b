import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from services.importer.key_set import Keys
from services.importer.ledger import EventLedger, TrackLedger
from services.importer.state import locked, state_folder
from services.runtime.errors import Fatal


def keys(*values: int) -> Keys:
    return np.array(values, dtype=np.uint64)


def test_what_is_saved_is_known_again(tmp_path: Path) -> None:
    ledger = EventLedger(tmp_path / "deep/listens.npz")
    ledger.add(keys(3, 1, 2**64 - 1))
    ledger.offsets.advance(0, 0, 2)
    ledger.offsets.advance(5, 0, 1)
    ledger.save()
    again = EventLedger(tmp_path / "deep/listens.npz")
    assert again.has(keys(1, 2, 3, 2**64 - 1)).tolist() == [True, False, True, True]
    assert again.offsets == {0: 2, 5: 1}
    assert [file.name for file in (tmp_path / "deep").iterdir()] == ["listens.npz"]


def test_offsets_do_not_step_over_what_others_wrote(tmp_path: Path) -> None:
    ledger = EventLedger(tmp_path / "x.npz")
    ledger.offsets.advance(0, 0, 10)
    ledger.offsets.advance(0, 12, 5)  # 10 and 11 are somebody else's, not read yet
    ledger.offsets.advance(0, -1, 5)  # the broker did not say where
    assert ledger.offsets == {0: 10}


@pytest.mark.parametrize("damage", [b"", b"garbage", b"PK\x03\x04 cut"])
def test_a_damaged_file_is_begun_anew(tmp_path: Path, damage: bytes) -> None:
    ledger = EventLedger(tmp_path / "x.npz")
    ledger.add(keys(1))
    ledger.save()
    (tmp_path / "x.npz").write_bytes(damage)
    again = EventLedger(tmp_path / "x.npz")
    assert (len(again), again.offsets) == (0, {})


def test_a_truncated_file_is_begun_anew(tmp_path: Path) -> None:
    ledger = EventLedger(tmp_path / "x.npz")
    ledger.add(keys(*range(1000)))
    ledger.save()
    whole = (tmp_path / "x.npz").read_bytes()
    (tmp_path / "x.npz").write_bytes(whole[: len(whole) // 2])
    assert len(EventLedger(tmp_path / "x.npz")) == 0


def test_tracks_are_known_by_id_and_by_content(tmp_path: Path) -> None:
    ledger = TrackLedger(tmp_path / "t.npz")
    ledger.put("a", b"one")
    ledger.put("b", b"two")
    ledger.put("b", None)
    ledger.save()
    again = TrackLedger(tmp_path / "t.npz")
    assert (again.has("a"), again.has("b")) == (True, False)
    assert (again.holds("a", b"one"), again.holds("a", b"other")) == (True, False)
    again.forget()
    assert not again.has("a")


def test_only_one_import_holds_the_folder_and_the_dead_let_go(tmp_path: Path) -> None:
    hold = (
        "import sys, time; from pathlib import Path; from services.importer.state import locked\n"
        "with locked(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", hold, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(Fatal, match=rf"another import .*\(process {holder.pid},"), locked(tmp_path):
            pass
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    with locked(tmp_path):
        assert (tmp_path / "lock").exists()


def test_the_state_folder_can_be_named(tmp_path: Path) -> None:
    assert state_folder({"SEGUE_STATE": str(tmp_path)}) == tmp_path
    assert state_folder({}).name == "segue"
