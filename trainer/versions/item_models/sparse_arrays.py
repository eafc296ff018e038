"""A square sparse matrix as the three arrays of CSR that a version saves it as."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from trainer.versions.item_models.item_model import Arrays


def csr_names(name: str) -> tuple[str, str, str]:
    """Under which names a matrix is saved."""
    return f"{name}_indptr", f"{name}_indices", f"{name}_data"


def csr_arrays(name: str, matrix: sparse.csr_array) -> dict[str, NDArray[Any]]:
    """int64 [rows + 1], int32 [values] and float32 [values], by name."""
    return {
        f"{name}_indptr": matrix.indptr.astype(np.int64),
        f"{name}_indices": matrix.indices.astype(np.int32),
        f"{name}_data": matrix.data.astype(np.float32),
    }


def csr_matrix(arrays: Arrays, name: str, size: int) -> sparse.csr_array:
    """Put a matrix [size, size] together from its arrays, without copying them."""
    data, indices, indptr = (arrays[f"{name}_{part}"] for part in ("data", "indices", "indptr"))
    return sparse.csr_array((data, indices, indptr), shape=(size, size))
