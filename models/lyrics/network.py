"""The four topic classifiers as networks: TF-IDF rows in, one logit a topic out.

linear      5,000 ─► topics
paper       5,000 ─► 256 ─► 128 ─► topics, rectified
tuned       the same with dropout, taught on in stages
tabular     5,000 ─► 8 tokens of 32 ─► two layers of self-attention (Vaswani et al. 2017) ─► mean ─► topics
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding_bag, scaled_dot_product_attention

from models.lyrics.tfidf import Bags

HIDDEN = (256, 128)  # the paper's
TOKENS, WIDTH, HEADS, LAYERS = 8, 32, 4, 2


class Terms(nn.Module):
    """The first layer: a vector a term, summed by weight. Dense rows and bags of the same songs give the same."""

    def __init__(self, terms: int, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(terms, width))
        self.bias = nn.Parameter(torch.zeros(width))
        nn.init.normal_(self.weight, std=(2.0 / width) ** 0.5)  # rows of length 1, not of unit entries, come in

    def forward(self, dense: Tensor) -> Tensor:
        """(songs, terms) -> (songs, width)."""
        return dense @ self.weight + self.bias

    def of(self, bags: Bags, dropout: float) -> Tensor:
        """The same from sparse rows, without the many zeros; `dropout` is the share of terms left out."""
        weights = torch.from_numpy(bags.weights)
        if dropout:
            weights = nn.functional.dropout(weights, dropout)
        terms, starts = torch.from_numpy(bags.terms), torch.from_numpy(bags.starts[:-1])
        summed: Tensor = embedding_bag(terms, self.weight, starts, mode="sum", per_sample_weights=weights)
        return summed + self.bias


class TopicNetwork(nn.Module):
    """A first layer over terms, and what comes behind it. `stages` are its layers from the last to the first."""

    def __init__(self, first: Terms, rest: nn.Module, stages: list[nn.Module], dropout: float = 0.0) -> None:
        super().__init__()
        self.first, self.rest = first, rest
        self.stages, self.dropout = stages, dropout

    def forward(self, dense: Tensor) -> Tensor:
        """Logits (songs, topics) of TF-IDF rows (songs, terms): what is exported."""
        logits: Tensor = self.rest(self.first(dense))
        return logits

    def of(self, bags: Bags) -> Tensor:
        """The same logits of sparse rows; with dropout of terms while it is taught."""
        logits: Tensor = self.rest(self.first.of(bags, self.dropout if self.training else 0.0))
        return logits


def linear(terms: int, topics: int) -> TopicNetwork:
    """Only the first layer."""
    first = Terms(terms, topics)
    return TopicNetwork(first, nn.Identity(), [first])


def tower(terms: int, topics: int, dropout: float = 0.0) -> TopicNetwork:
    """The paper's network; with `dropout` the fine-tuned form's."""
    wide, narrow = HIDDEN
    first, second, last = Terms(terms, wide), nn.Linear(wide, narrow), nn.Linear(narrow, topics)
    layers = (nn.ReLU(), nn.Dropout(dropout), second, nn.ReLU(), nn.Dropout(dropout), last)
    return TopicNetwork(first, nn.Sequential(*layers), [last, second, first], dropout / 2)


def tabular(terms: int, topics: int, dropout: float = 0.0) -> TopicNetwork:
    """A small Transformer over tokens that each are a mixture of all terms."""
    first, rest = Terms(terms, TOKENS * WIDTH), _Attention(topics, dropout)
    return TopicNetwork(first, rest, [rest, first], dropout)


class _Attention(nn.Module):
    def __init__(self, topics: int, dropout: float) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.randn(TOKENS, WIDTH) * 0.02)
        self.layers = nn.ModuleList(_Layer(dropout) for _ in range(LAYERS))
        self.norm, self.last = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, topics)

    def forward(self, mixed: Tensor) -> Tensor:
        tokens = mixed.reshape(-1, TOKENS, WIDTH) + self.place
        for layer in self.layers:
            tokens = layer(tokens)
        logits: Tensor = self.last(self.norm(tokens).mean(dim=1))
        return logits


class _Layer(nn.Module):
    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.before, self.between = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.mixed, self.joined = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.forth = nn.Sequential(nn.Linear(WIDTH, 2 * WIDTH), nn.GELU(), nn.Linear(2 * WIDTH, WIDTH))
        self.drop = nn.Dropout(dropout)

    def forward(self, tokens: Tensor) -> Tensor:
        heads = self.mixed(self.before(tokens)).reshape(-1, TOKENS, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        seen = scaled_dot_product_attention(heads[0], heads[1], heads[2])  # (songs, heads, tokens, width / heads)
        tokens = tokens + self.drop(self.joined(seen.transpose(1, 2).reshape(-1, TOKENS, WIDTH)))
        there: Tensor = tokens + self.drop(self.forth(self.between(tokens)))
        return there
