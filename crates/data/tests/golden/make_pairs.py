"""Writes the archives beside it: `python make_pairs.py`, with NumPy 2.4."""

import numpy as np

arrays = dict(
    before=np.arange(6).reshape(3, 2) + 0.5,
    after=np.asfortranarray(np.arange(6, dtype=">f4").reshape(3, 2)),
    z_before=np.arange(6, dtype=np.float16).reshape(3, 2),
    target=np.array([[False, False], [True, False], [True, True]]),
    adjacency=np.array([[0, 1], [0, 0]]),
    names=np.array(["größe", "z"]),
    remark=np.array("other arrays are ignored"),
)
np.savez("pairs.npz", **arrays)
np.savez_compressed("pairs-compressed.npz", **arrays)
ragged = np.array([np.zeros(2), np.zeros(3)], dtype=object)
np.savez("pickled.npz", before=ragged, after=ragged)
