"""NeuMF. torch is in an extra of its own (docs/decisions/0005)."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix

from models.ncf.settings import NcfSettings
from tests.unit.models.counts.worlds import ITEMS, two_camps

torch = pytest.importorskip("torch", reason="needs torch: pip install 'segue[neural]'")


def test_all_items_are_scored_as_one_pair_after_the_other() -> None:
    from models.ncf.network import NeuMF

    network = NeuMF(7, 11, 4)
    for part in network.parameters():
        torch.nn.init.normal_(part)
    pairs = network(torch.arange(7).repeat_interleave(11), torch.arange(11).repeat(7)).reshape(7, 11)
    assert torch.allclose(network.all_items(torch.arange(7)), pairs, atol=1e-4)


def test_more_listeners_than_are_scored_together_are_scored_all(monkeypatch: pytest.MonkeyPatch) -> None:
    from models.ncf import fit

    model = fit.fit(two_camps(20), NcfSettings(epochs=1), 1)
    whole = model.scores(np.arange(20))
    monkeypatch.setattr(fit, "AT_ONCE", 3 * ITEMS)
    assert model.scores(np.arange(20)) == pytest.approx(whole, abs=1e-5)


def test_drawn_items_are_none_that_the_listener_has() -> None:
    from models.ncf.fit import missing

    matrix = two_camps(20, each=25)  # of 30
    users = np.repeat(np.arange(20), 500)
    drawn = missing(matrix, users, np.random.default_rng(1))
    assert not np.asarray(matrix[users, drawn]).any()
    assert set(drawn) == set(range(ITEMS))


def test_who_has_everything_does_not_hold_up_the_draw() -> None:
    from models.ncf.fit import missing

    assert len(missing(csr_matrix(np.ones((1, 3))), np.zeros(9, dtype=np.int64), np.random.default_rng(1))) == 9


def test_a_fit_learns_repeats_itself_and_leaves_the_chance_of_torch_alone() -> None:
    from models.ncf.fit import fit

    told: list[float] = []
    settings = NcfSettings(epochs=40, rate=0.01, batch=256)
    torch.manual_seed(5)
    before = torch.get_rng_state()
    scores = fit(two_camps(40), settings, 1, told.append).scores(np.arange(40))
    assert (torch.get_rng_state() == before).all()
    assert told[-1] == 1.0
    own, other = scores[::2, : ITEMS // 2], scores[::2, ITEMS // 2 :]
    assert own.mean() > other.mean() + 1.0
    assert (fit(two_camps(40), settings, 1).scores(np.arange(40)) == scores).all()
    assert (
        fit(two_camps(40), NcfSettings(epochs=40, rate=0.01, batch=256, seed=1), 1).scores(np.arange(40)) != scores
    ).any()
    kept = fit(two_camps(40), NcfSettings(epochs=40, rate=0.01, batch=256, decay=1.0), 1).scores(np.arange(40))
    assert np.ptp(kept) < np.ptp(scores)
