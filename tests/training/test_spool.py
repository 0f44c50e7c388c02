import errno
import os
from pathlib import Path

import pytest
from arm_data import data
from sinew_training import spool as spools
from sinew_training.sending import Sending, SendingConfig
from sinew_training.spool import Spool, SpoolError


def spans(entries):
    return [(entry.first, entry.last) for entry in entries]


def filled(folder, *counts, **more):
    spool = Spool(folder, "run", **more)
    for count in counts:
        spool.append(data(spool.next, count), count)
    return spool


def test_what_was_appended_is_there_after_a_restart_under_the_same_numbers(tmp_path):
    spool = filled(tmp_path, 2, 3)
    actor, first = spool.actor, spool.read(spool.pending()[0])
    spool.close()
    again = Spool(tmp_path, "run")
    assert (again.actor, again.next) == (actor, 6)
    assert spans(again.pending()) == [(1, 2), (3, 5)]
    assert again.read(again.pending()[0]) == first


def test_sequence_numbers_never_repeat_even_when_everything_was_acknowledged(tmp_path):
    spool = filled(tmp_path, 2, 3)
    spool.acknowledge(5)
    assert spool.pending() == []
    assert not list(tmp_path.glob("*.safetensors"))
    spool.close()
    again = filled(tmp_path, 1)
    assert spans(again.pending()) == [(6, 6)]


def test_an_acknowledgement_covers_whole_files_only_and_none_that_were_not_sent(tmp_path):
    spool = filled(tmp_path, 2, 3)
    for sequence in (1, 99):
        spool.acknowledge(sequence)
        assert spans(spool.pending()) == [(1, 2), (3, 5)]
    spool.acknowledge(4)
    assert spans(spool.pending()) == [(3, 5)]


def test_a_file_that_an_acknowledgement_left_behind_is_not_sent_again(tmp_path):
    spool = filled(tmp_path, 2, 3)
    kept = (tmp_path / spool.pending()[0].name).read_bytes()
    name = spool.pending()[0].name
    spool.acknowledge(2)
    spool.close()
    (tmp_path / name).write_bytes(kept)  # killed between the note and the deletion
    assert spans(Spool(tmp_path, "run").pending()) == [(3, 5)]


def test_what_is_held_is_not_sent_until_it_is_released(tmp_path):
    spool = filled(tmp_path, 2)
    spool.hold()
    spool.append(data(3), 3)
    assert spans(spool.pending()) == [(1, 2)]
    spool.release()
    assert spans(spool.pending()) == [(1, 2), (3, 5)]


def test_what_is_discarded_was_never_there(tmp_path):
    spool = filled(tmp_path, 2)
    spool.hold()
    spool.append(data(3), 3)
    assert spool.discard() == 3
    assert spool.next == 3
    spool.close()
    assert spans(Spool(tmp_path, "run").pending()) == [(1, 2)]


def test_what_a_killed_actor_held_is_sent_after_the_restart(tmp_path):
    spool = filled(tmp_path)
    spool.hold()
    spool.append(data(1), 3)
    spool.close()
    assert spans(Spool(tmp_path, "run").pending()) == [(1, 3)]


def test_a_write_that_was_cut_short_leaves_nothing(tmp_path):
    spool = filled(tmp_path, 2)
    spool.close()
    (tmp_path / "000000000003-000000000004.safetensors.part").write_bytes(data(3)[:50])
    again = Spool(tmp_path, "run")
    assert spans(again.pending()) == [(1, 2)]
    assert not list(tmp_path.glob("*.part"))


def test_a_full_disk_is_told_and_what_was_spooled_stays(tmp_path, monkeypatch):
    spool = filled(tmp_path, 2)

    def full(handle):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(spools.os, "fsync", full)
        with pytest.raises(SpoolError, match=r"000000000003-000000000005.*No space left"):
            spool.append(data(3), 3)
    assert spans(spool.pending()) == [(1, 2)]
    spool.append(data(3), 3)
    assert spans(spool.pending()) == [(1, 2), (3, 5)]


def test_a_full_spool_says_who_is_missing(tmp_path):
    spool = filled(tmp_path, 2, limit=len(data(1, 2)) + 10)
    with pytest.raises(SpoolError, match=r"full. 2 transitions .* wait for a learner's acknowledgement"):
        spool.append(data(3), 3)
    spool.acknowledge(2)
    spool.append(data(3, 2), 2)


def test_a_spool_of_another_run_and_one_in_use_are_refused(tmp_path):
    spool = filled(tmp_path, 2)
    with pytest.raises(SpoolError, match="another process uses it"):
        Spool(tmp_path, "run")
    spool.close()
    with pytest.raises(SpoolError, match="belongs to the run 'run', this is 'other'"):
        Spool(tmp_path, "other")


def test_a_damaged_file_is_named_and_can_be_moved_away(tmp_path):
    spool = filled(tmp_path, 2, 3, 1)
    damaged = tmp_path / spool.pending()[1].name
    spool.close()
    damaged.write_bytes(damaged.read_bytes()[:-10])
    with pytest.raises(SpoolError, match=rf"{damaged.name}: damaged .* its 3 transitions"):
        Spool(tmp_path, "run")
    damaged.unlink()
    assert spans(Spool(tmp_path, "run").pending()) == [(1, 2), (6, 6)]


def test_a_spool_that_cannot_be_opened_is_a_clear_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SpoolError, match="cannot be opened"):
        Spool(tmp_path / "file" / "spool", "run")


def test_a_new_spool_is_another_actor(tmp_path: Path):
    assert filled(tmp_path / "a").actor != filled(tmp_path / "b").actor


def test_sending_goes_a_window_ahead_and_on_with_each_acknowledgement(tmp_path):
    spool = filled(tmp_path, 1, 1, 1, 1)
    sending = Sending(spool, SendingConfig(window=2, resend=1.0))
    assert spans(sending.due(0.0)) == [(1, 1), (2, 2)]
    assert sending.due(0.5) == []
    sending.acknowledged(1, "", 0.6)
    assert spans(sending.due(0.7)) == [(3, 3)]


def test_what_was_not_acknowledged_in_time_is_sent_again_from_there(tmp_path):
    spool = filled(tmp_path, 1, 1, 1)
    sending = Sending(spool, SendingConfig(resend=1.0))
    sending.due(0.0)
    sending.acknowledged(1, "", 0.5)
    assert sending.due(1.4) == []
    assert spans(sending.due(1.6)) == [(2, 2), (3, 3)]


def test_an_actor_greets_when_it_has_nothing_to_send(tmp_path):
    sending = Sending(filled(tmp_path, 1), SendingConfig(greeting=1.0))
    sending.due(0.0)
    assert not sending.greets(0.5)
    assert sending.greets(1.1)
    assert not sending.greets(1.2)
