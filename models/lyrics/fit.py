"""Teaching the four topic classifiers on the same songs. Same songs, seed and threads: same network."""

from collections.abc import Callable, Iterator
from copy import deepcopy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import ReduceLROnPlateau

from models.lyrics import network
from models.lyrics.network import TopicNetwork
from models.lyrics.tfidf import Bags

BATCH = 64
RATE = 1e-3
EPOCHS = 40
PATIENCE = 4  # epochs without a better validation loss, then the best is taken
DROPOUT = 0.5
STAGES = ((1, 8, 1e-3), (2, 8, 5e-4), (3, 24, 5e-4))  # layers that learn, from the last; epochs; rate
STRENGTH = 2.0  # inverse of the linear model's L2
AT_ONCE = 1_024

Labels = NDArray[np.int64]


class Lessons:
    """Labelled songs and those of them that say when to stop. `topics`: how many there are."""

    def __init__(self, bags: Bags, labels: Labels, topics: int, learn: Labels, check: Labels) -> None:
        self.bags, self.labels, self.topics = bags, labels, topics
        self.learn, self.check = learn, check
        counts = np.bincount(labels[learn], minlength=topics)
        # A rare topic's songs count as much as a frequent one's: the figure to be good at is macro F1.
        weights = len(learn) / (topics * np.maximum(counts, 1))
        self.weights = torch.from_numpy(weights.astype(np.float32))

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[Bags, Tensor]]:
        """One epoch."""
        order = rng.permutation(self.learn)
        for at in range(0, len(order), BATCH):
            chosen = order[at : at + BATCH]
            yield self.bags.rows(chosen), torch.from_numpy(self.labels[chosen])

    def loss(self, taught: TopicNetwork) -> float:
        """On the songs that say when to stop."""
        scores = torch.from_numpy(logits(taught, self.bags.rows(self.check)))
        return float(cross_entropy(scores, torch.from_numpy(self.labels[self.check]), self.weights))


def linear(lessons: Lessons, seed: int) -> TopicNetwork:
    """Logistic regression; it needs no songs to stop by and learns from those too."""
    from scipy.sparse import csr_matrix
    from sklearn.linear_model import LogisticRegression

    rows = np.concatenate((lessons.learn, lessons.check))
    bags, labels = lessons.bags.rows(rows), lessons.labels[rows]
    matrix = csr_matrix((bags.weights, bags.terms, bags.starts), shape=(len(bags), bags.size))
    model = LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=1_000, random_state=seed)
    model.fit(matrix, labels)
    made: TopicNetwork = network.linear(bags.size, lessons.topics)
    weights, bias = model.coef_, model.intercept_
    if len(weights) == 1:  # of two classes it keeps one row
        weights, bias = np.concatenate((-weights, weights)) / 2, np.concatenate((-bias, bias)) / 2
    with torch.no_grad():
        made.first.weight.zero_()
        made.first.weight[:, model.classes_] = torch.from_numpy(weights.T.astype(np.float32))
        made.first.bias.fill_(-1e4)  # a topic that no song has
        made.first.bias[model.classes_] = torch.from_numpy(bias.astype(np.float32))
    return _done(made)


def paper(lessons: Lessons, seed: int) -> TopicNetwork:
    """The 256–128 network as published, stopped by validation loss."""
    torch.manual_seed(seed)
    made: TopicNetwork = network.tower(lessons.bags.size, lessons.topics)
    _learn(made, lessons, list(made.parameters()), RATE, EPOCHS, seed)
    return _done(made)


def tuned(lessons: Lessons, seed: int) -> TopicNetwork:
    """The paper's network taught on: dropout, layers unfrozen from the last to the first, rate cut on plateaus."""
    begun = paper(lessons, seed)
    made: TopicNetwork = network.tower(lessons.bags.size, lessons.topics, DROPOUT)
    made.load_state_dict(begun.state_dict())
    for layers, epochs, rate in STAGES:
        learning = [part for stage in made.stages[:layers] for part in stage.parameters()]
        _learn(made, lessons, learning, rate, epochs, seed + layers)
    return _done(made)


def tabular(lessons: Lessons, seed: int) -> TopicNetwork:
    """The small Transformer."""
    torch.manual_seed(seed)
    made: TopicNetwork = network.tabular(lessons.bags.size, lessons.topics, 0.3)
    _learn(made, lessons, list(made.parameters()), RATE, EPOCHS, seed)
    return _done(made)


def _done(made: TopicNetwork) -> TopicNetwork:
    made.eval()
    return made


Fit = Callable[[Lessons, int], TopicNetwork]
CONTENDERS: dict[str, Fit] = {"linear": linear, "paper": paper, "tuned": tuned, "tabular": tabular}


def fit(name: str, lessons: Lessons, seed: int, threads: int) -> TopicNetwork:
    """One of CONTENDERS; torch's own chance is as it was before."""
    with torch.random.fork_rng(devices=[]):
        torch.set_num_threads(threads or torch.get_num_threads())
        torch.manual_seed(seed)
        return CONTENDERS[name](lessons, seed)


def logits(made: TopicNetwork, bags: Bags) -> NDArray[np.float32]:
    """(songs, topics), as it answers when it is served."""
    was = made.training
    made.eval()
    with torch.inference_mode():
        parts = [
            made.of(bags.rows(np.arange(at, min(at + AT_ONCE, len(bags))))).numpy()
            for at in range(0, len(bags), AT_ONCE)
        ]
    made.train(was)
    return np.concatenate(parts) if parts else np.empty((0, 0), np.float32)


def _learn(
    made: TopicNetwork, lessons: Lessons, learning: list[nn.Parameter], rate: float, epochs: int, seed: int
) -> None:
    """Teach these parameters only; at the end those of the epoch with the lowest validation loss are in force."""
    rng = np.random.default_rng(seed)
    optimizer = torch.optim.Adam(learning, lr=rate)
    plateau = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    made.train()
    best, kept, since = lessons.loss(made), deepcopy(made.state_dict()), 0
    for _ in range(epochs):
        for bags, labels in lessons.batches(rng):
            optimizer.zero_grad()
            cross_entropy(made.of(bags), labels, lessons.weights).backward()
            optimizer.step()
        found = lessons.loss(made)
        plateau.step(found)
        since += 1
        if found < best - 1e-4:
            best, kept, since = found, deepcopy(made.state_dict()), 0
        if since > PATIENCE:
            break
    made.load_state_dict(kept)
