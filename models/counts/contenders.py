"""The models that are compared on counts: what each is fitted with, and where its settings are sought."""

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from msgspec import Struct, convert
from scipy.sparse import csr_matrix

from models.als.fit import factorize, fit
from models.als.serve import FoldIn
from models.als.settings import AlsSettings
from models.counts.data import Numbers
from models.counts.judge import Model, Scores
from models.counts.tuning import Choice, Range, Space
from models.counts.weights import Form, weighed
from models.ease import Inverse
from models.ncf.settings import NcfSettings
from models.neighbours import items as item_neighbours

EASE_MOST = 10_000  # listeners or items, whichever are fewer, up to which EASE takes all items: 2.4 GB, a minute or two
FORMS: Space = {"form": Choice(("binary", "log")), "damping": Range(0.0, 0.6)}


class KnnSettings(Struct, frozen=True):
    """Of ItemKNN; weights as in models/counts/weights.py."""

    form: Form = "binary"
    damping: float = 0.0
    most: int = 100  # neighbours of an item
    shrink: float = 1.0


class EaseSettings(Struct, frozen=True):
    """Of EASE."""

    form: Form = "binary"
    damping: float = 0.0
    regularization: float = 100.0


class FactorSettings(Struct, frozen=True):
    """Of ALS with a confidence of 1 + alpha · weight."""

    form: Form = "binary"
    damping: float = 0.0
    alpha: float = 4.0
    factors: int = 64
    iterations: int = 10
    regularization: float = 10.0


class Popular:
    """By listeners: the same order for everybody."""

    def __init__(self, train: csr_matrix, _settings: None, _seed: int, _threads: int) -> None:
        self._listeners = train.getnnz(axis=0).astype(np.float64)

    def scores(self, users: Numbers) -> Scores:
        """See Model."""
        return np.tile(self._listeners, (len(users), 1))


class ItemKnn:
    """models/neighbours/items.py."""

    def __init__(self, train: csr_matrix, settings: KnnSettings, _seed: int, _threads: int) -> None:
        self._weights = weighed(train, settings.form, settings.damping)
        self._table = item_neighbours.nearest(self._weights, settings.most, settings.shrink)

    def scores(self, users: Numbers) -> Scores:
        """See Model."""
        return item_neighbours.scores(self._weights[users], self._table)


class Ease:
    """models/ease.py; where listeners and items are both many, on the items of most listeners only."""

    def __init__(self, train: csr_matrix, settings: EaseSettings, _seed: int, _threads: int) -> None:
        items = train.shape[1]
        most = items if min(train.shape) <= EASE_MOST else EASE_MOST
        self._items = np.sort(np.argsort(-train.getnnz(axis=0), kind="stable")[:most])
        self._weights = weighed(train, settings.form, settings.damping)[:, self._items]
        self._size = items
        self._inverse = Inverse(self._weights, settings.regularization)

    def scores(self, users: Numbers) -> Scores:
        """See Model; an item that is left out has 0."""
        scores = np.zeros((len(users), self._size))
        scores[:, self._items] = self._weights[users].toarray() - self._inverse.own(users) / self._inverse.diagonal
        return scores


class Als:
    """As the trainer fits and the scorer folds in, with the defaults of both: log₂ of the count, whatever it is."""

    def __init__(self, train: csr_matrix, settings: AlsSettings, seed: int, threads: int) -> None:
        pairs = train.tocoo()
        asked = convert({**_dict(settings), "seed": seed}, AlsSettings)
        users, items = pairs.row.astype(np.int64), pairs.col.astype(np.int64)
        self._factors, used = fit(users, items, pairs.data, train.shape, asked, threads)
        self._train = train
        self._fold_in = FoldIn(self._factors, self._factors.T @ self._factors, used)

    def scores(self, users: Numbers) -> Scores:
        """See Model."""
        return np.asarray(self._fold_in.vectors(_own(self._train, users)) @ self._factors.T)


class TunedAls:
    """The same equations with another confidence."""

    def __init__(self, train: csr_matrix, settings: FactorSettings, seed: int, threads: int) -> None:
        confident = weighed(train, settings.form, settings.damping)
        confident.data = (1.0 + settings.alpha * confident.data).astype(np.float32)
        self._confident = confident.astype(np.float32)
        asked = AlsSettings(
            factors=settings.factors, iterations=settings.iterations, regularization=settings.regularization, seed=seed
        )
        self._factors = factorize(self._confident, asked, threads)
        self._fold_in = FoldIn(self._factors, self._factors.T @ self._factors, asked)

    def scores(self, users: Numbers) -> Scores:
        """See Model."""
        return np.asarray(self._fold_in.solved(_own(self._confident, users)) @ self._factors.T)


def _ncf(train: csr_matrix, settings: NcfSettings, seed: int, _threads: int) -> Model:
    from models.ncf.fit import fit as fit_ncf  # with torch, which only this one needs

    return fit_ncf(train, convert({**_dict(settings), "seed": seed}, NcfSettings))


def _own(matrix: csr_matrix, users: Numbers) -> list[tuple[Numbers, Any]]:
    spans = [slice(matrix.indptr[user], matrix.indptr[user + 1]) for user in users]
    return [(matrix.indices[span].astype(np.int64), matrix.data[span]) for span in spans]


def _dict(settings: Struct) -> dict[str, Any]:
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


class Contender(NamedTuple):
    """How it is fitted on a training part: `fit(train, settings, seed, threads)`. An empty `space`: nothing to tune."""

    fit: Callable[[csr_matrix, Any, int, int], Model]
    defaults: Struct | None
    space: Space = MappingProxyType({})
    trials: float = 1.0  # of the trials asked for, how many: a slow one has fewer
    needs: str = ""  # a module of an extra

    @property
    def missing(self) -> str:
        """Why it cannot be fitted here, or nothing."""
        if not self.needs or find_spec(self.needs) is not None:
            return ""
        return f"needs {self.needs}: pip install 'segue[neural]'"

    def settings(self, values: Mapping[str, Any]) -> Struct | None:
        """The defaults with these instead."""
        return None if self.defaults is None else convert({**_dict(self.defaults), **values}, type(self.defaults))


CONTENDERS: dict[str, Contender] = {
    "popular": Contender(Popular, None),
    "item_knn": Contender(
        ItemKnn,
        KnnSettings(),
        {**FORMS, "most": Range(10, 1_000, log=True, whole=True), "shrink": Range(0.1, 100, log=True)},
    ),
    "ease": Contender(Ease, EaseSettings(), {**FORMS, "regularization": Range(10, 1_000, log=True)}),
    "als": Contender(Als, AlsSettings()),
    "als_tuned": Contender(
        TunedAls,
        FactorSettings(),
        {
            "form": Choice(("binary", "log", "linear")),
            "damping": Range(0.0, 0.6),
            "alpha": Range(1, 64, log=True),
            "factors": Range(24, 160, log=True, whole=True),
            "iterations": Range(4, 12, whole=True),
            "regularization": Range(4, 120, log=True),
        },
    ),
    "ncf": Contender(
        _ncf,
        NcfSettings(),
        {
            "factors": Range(8, 32, log=True, whole=True),
            "epochs": Range(8, 30, whole=True),
            "rate": Range(0.001, 0.01, log=True),
            "decay": Range(0.00001, 0.01, log=True),
        },
        trials=0.25,
        needs="torch",
    ),
}
