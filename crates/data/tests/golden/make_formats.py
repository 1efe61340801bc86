"""Writes the small files in public formats that the readers' tests need and cannot write themselves.

    python3 -m venv venv && venv/bin/pip install h5py==3.16.0 numpy==2.4.6 pillow==13.0.0 scipy==1.17.1
    venv/bin/python make_formats.py

Run in this folder with Python 3.11; the bytes of JPEG, HDF5 and MATLAB files depend on the versions.
"""

import io

import h5py
import numpy as np
import scipy.io
from PIL import Image

D = 4


def jpeg(color, size=16, **options):
    file = io.BytesIO()
    Image.new("RGB", (size, size), color).save(file, "JPEG", quality=90, **options)
    return file.getvalue()


def circuit(pictures):
    """Three pairs: nothing, the arm and the green lamp are set; masks run from the arm to red."""
    e = np.arange(3 * 2 * D, dtype=np.float64).reshape(3, 2, D) / 100
    e[:, 1] = e[:, 0]
    e[1, 1, 3] += 1
    e[2, 1, 1] += 1
    masks = np.zeros((3, D), dtype=bool)
    masks[1, 0] = masks[2, 2] = True
    return dict(
        imgs=pictures,
        original_latents=e / 2,
        epsilon=e,
        pressed=np.zeros((3, 2, 3)),
        intervention_labels=np.array([0, 1, 3]),
        intervention_masks=masks,
    )


COLORS = [[(200, 40, 40), (40, 200, 40)], [(40, 40, 200), (90, 90, 90)], [(250, 250, 250), (0, 0, 0)]]
encoded = [[jpeg(color) for color in pair] for pair in COLORS]
encoded[1][1] = jpeg(COLORS[1][1], progressive=True)
np.savez("circuit-bytes.npz", **circuit(np.array(encoded, dtype=bytes)))
np.savez_compressed("circuit-bytes-packed.npz", **circuit(np.array(encoded, dtype=bytes)))
objects = np.empty((3, 2), dtype=object)
for i in range(3):
    for j in range(2):
        objects[i, j] = encoded[i][j]
np.savez("circuit-objects.npz", **circuit(objects))
# What a reader must not unpickle: arrays of arrays.
for i in range(3):
    for j in range(2):
        objects[i, j] = np.zeros(3)
np.savez("circuit-arrays.npz", **circuit(objects))
encoded[2][0] = jpeg((1, 2, 3), size=24)
np.savez("circuit-sizes.npz", **circuit(np.array(encoded, dtype=bytes)))

# Twelve pictures of 4 x 4 by factors of 3, 1, 1, 2, 2 and 1 values; picture k is full of k.
labels = np.array([[a / 10, 0, 0, 0.75 + b, c, 5] for a in range(3) for b in range(2) for c in range(2)])
images = np.repeat(np.arange(12, dtype=np.uint8), 48).reshape(12, 4, 4, 3)
for name, options in [("chunked", dict(chunks=(5, 2, 4, 3), compression="gzip")), ("plain", {})]:
    with h5py.File(f"shapes3d-{name}.h5", "w") as file:
        file.create_dataset("images", data=images, **options)
        file.create_dataset("labels", data=labels)
# The newest layout of HDF5.
with h5py.File("shapes3d-latest.h5", "w", libver="latest") as file:
    file.create_dataset("images", data=images, chunks=(5, 2, 4, 3), compression="gzip")
    file.create_dataset("labels", data=labels)

# A car in 2 azimuths and 3 elevations, 4 x 2 pixels; a pixel says which it is.
im = np.zeros((4, 2, 3, 2, 3), dtype=np.uint8)
for (row, column, channel, azimuth, elevation), _ in np.ndenumerate(im):
    im[row, column, channel, azimuth, elevation] = 10 * row + 5 * column + channel + 50 * azimuth + 100 * (elevation // 2)
scipy.io.savemat("car-packed.mat", {"other": np.arange(3), "im": im}, do_compression=True)
scipy.io.savemat("car-plain.mat", {"im": im})
scipy.io.savemat("car-doubles.mat", {"im": im.astype(float)})
