"""EASE in closed form (Steck, 2019): P = (XᵀX + λI)⁻¹ of a matrix X of listeners and items, held as its smaller form.

B = I − P·diag(1/diag P), and a listener's scores are u B = u − (u P)/diag P. With fewer listeners than items P need not
be made: by Woodbury u P = (u − u Xᵀ(XXᵀ + λI)⁻¹X)/λ, an inverse of listeners squared, and X P = (XXᵀ + λI)⁻¹X.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Dense = NDArray[np.float64]


class Inverse:
    """P of X; `diagonal` is its diagonal."""

    def __init__(self, matrix: csr_matrix, regularization: float) -> None:
        """`matrix` (listeners, items). Time: the smaller of the two, cubed; memory: that times the larger one."""
        listeners, items = matrix.shape
        self._matrix = matrix
        self._regularization = regularization
        self._whole: Dense | None = None
        if items <= listeners:
            self._whole = _inverse((matrix.T @ matrix).toarray(), regularization)
            self.diagonal = np.diag(self._whole).copy()
            return
        kernel = _inverse((matrix @ matrix.T).toarray(), regularization)
        self._solved: Dense = np.asarray(matrix.T @ kernel, np.float64).T  # kernel X: the kernel is symmetric
        self.diagonal = (1.0 - np.asarray(matrix.multiply(self._solved).sum(axis=0)).ravel()) / regularization

    def times(self, rows: Dense) -> Dense:
        """rows P, of any rows as wide as X."""
        if self._whole is not None:
            return np.asarray(rows @ self._whole)
        return np.asarray((rows - (self._matrix @ rows.T).T @ self._solved) / self._regularization)

    def own(self, rows: NDArray[np.int64]) -> Dense:
        """X[rows] P, for which nothing is left to multiply where P is not made."""
        if self._whole is not None:
            return np.asarray(self._matrix[rows] @ self._whole)
        return self._solved[rows]


def _inverse(gram: Dense, regularization: float) -> Dense:
    gram[np.diag_indices_from(gram)] += regularization
    return np.asarray(np.linalg.inv(gram), np.float64)
