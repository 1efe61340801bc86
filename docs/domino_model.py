"""A fitted Domino model in NumPy: `pip install numpy safetensors`.

    model = DominoModel("run")                 # the folder of a finished `domino run`
    e = model.encode(x)                        # noise [n, d] of observations [n, dim_x]
    z = model.solve(e)                         # causal variables [n, d]
    after = model.intervene(e, {2: 1.5})       # causal variables under do(z3 = 1.5)
    pictures = model.draw(after, model.abduct(after))

Observations of pictures are floats in [0, 1], flattened from [height, width, channels].
"""

import json
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file


class DominoModel:
    def __init__(self, run):
        folder = Path(run) / "model"
        self.description = json.loads((folder / "model.json").read_text())
        self.d = self.description["d"]
        self.graph = self.description["graph"]
        self.networks = load_file(folder / "networks.safetensors")
        self.mechanisms = load_file(folder / "mechanisms.safetensors")
        convolution = folder / "convolution.safetensors"
        self.convolution = load_file(convolution) if convolution.exists() else None
        picture = folder / "picture.safetensors"
        self.picture = load_file(picture) if picture.exists() else None

    def encode(self, x):
        """Noise encodings `[n, d]` of observations `[n, dim_x]`: the means of q(e | x)."""
        latents = self._network(self.networks, "encoder", self._whiten(x))
        return self.abduct(latents) if self.description["latents"] == "causal" else latents

    def decode(self, e):
        """Observations `[n, dim_x]` of noise encodings: the means of p(x | e); not of pictures."""
        whitening = self.description["whitening"]
        latents = self.solve(e) if self.description["latents"] == "causal" else e
        components = self._network(self.networks, "decoder", latents)
        return components @ _matrix(whitening["backward"]) + _matrix(whitening["mean"]).T

    def solve(self, e):
        """Causal variables `z = s(e)`."""
        return self._along_the_graph(e, {})

    def intervene(self, e, values):
        """Causal variables of noise `e` where `values = {variable: value}` are set (counted from 0)."""
        return self._along_the_graph(e, values)

    def abduct(self, z):
        """Noise `e` of causal variables `z`."""
        self._check_context()
        e = np.empty_like(z)
        for k in range(self.d):
            law = self._law(k, z)
            ends = z[:, k, None] * law[1] + law[0]
            low, high = ends.min(1), ends.max(1)
            for _ in range(60 if ends.shape[1] > 1 else 0):
                middle = (low + high) / 2
                below = _monotone(middle, *law) < z[:, k]
                low, high = np.where(below, middle, low), np.where(below, high, middle)
            e[:, k] = (low + high) / 2
        return e

    def draw(self, z, e):
        """Pictures `[n, height * width * channels]` in [0, 1] of a state."""
        weights = self.picture
        inputs = np.concatenate([2 / (1 + np.exp(-1.702 * z)) - 1, e], 1)
        hidden = _trunk(weights, "trunk", inputs)
        coefficients = hidden @ weights["head.weight"][0] + weights["head.bias"][0]
        coefficients += inputs @ weights["linear"][0]
        return np.clip(coefficients @ weights["directions"] + weights["mean"], 0, 1)

    def _whiten(self, x):
        whitening = self.description["whitening"]
        smoothing = whitening["smoothing"]
        if self.convolution is not None:
            x = self._convolve(x)
        elif smoothing is not None:
            shape = smoothing["shape"]
            size = [len(x), shape["height"], shape["width"], shape["channels"]]
            rows, columns = _matrix(smoothing["rows"]), _matrix(smoothing["columns"])
            x = np.einsum("rh,nhwc,kw->nrkc", rows, x.reshape(size), columns, optimize=True)
            x = x.reshape(len(x), -1)
        return (x - _matrix(whitening["mean"]).T) @ _matrix(whitening["forward"])

    def _convolve(self, x):
        """Latents `[n, latents]` of pictures that go through convolutions."""
        form, weights = self.description["convolution"], self.convolution
        whole = form["shape"]["height"]
        side = min(whole, form["config"]["side"])
        x = x.reshape(len(x), side, whole // side, side, whole // side, 3).mean((2, 4))
        x = (x - np.array(form["mean"])) / np.array(form["std"])
        place = np.linspace(-1, 1, side)
        places = np.stack(np.meshgrid(place, place), -1)[None]
        hidden = _halved(weights, "colours", x) + _halved(weights, "places", places)
        hidden, layer = np.maximum(hidden, 0), 0
        while f"layers.{layer}.product.weight" in weights:
            hidden = np.maximum(_halved(weights, f"layers.{layer}", hidden), 0)
            layer += 1
        return hidden.reshape(len(x), -1) @ weights["head.weight"][0] + weights["head.bias"][0]

    def _network(self, weights, name, x):
        activation = self.description["networks"][name].get("activation", "relu")
        hidden = _trunk(weights, f"{name}.trunk", x, activation=activation)
        mean = hidden @ weights[f"{name}.mean.weight"][0] + weights[f"{name}.mean.bias"][0]
        return mean + x @ weights[f"{name}.skip"][0] if f"{name}.skip" in weights else mean

    def _along_the_graph(self, e, values):
        self._check_context()
        z = np.zeros_like(e)
        for k in self.graph["order"]:
            z[:, k] = values[k] if k in values else _monotone(e[:, k], *self._law(k, z))
        return z

    def _law(self, k, z):
        """Shifts, scales and weights of the components of z_k = f_k(e_k; z of its causes)."""
        weights = self.mechanisms
        context = z * weights["mask"][k]
        hidden = _trunk(weights, "trunk", context, k)
        head = lambda name: hidden @ weights[f"{name}.weight"][k] + weights[f"{name}.bias"][k]
        shift = head("shift") + context @ weights["linear"][k]
        scale = np.exp(head("log_scale")) + 0.2 / shift.shape[1]
        logits = head("weight") if "weight.weight" in weights else np.zeros_like(shift)
        weight = np.exp(logits - logits.max(1, keepdims=True))
        return shift, scale, weight / weight.sum(1, keepdims=True)

    def _check_context(self):
        if self.description["context"] != "causal":
            raise ValueError("mechanisms of this model see noise: it was trained with mechanisms = \"joint\"")


def _matrix(saved):
    """A matrix saved as [values by column, rows, columns]; a column where the last is None."""
    values, rows, columns = saved
    return np.array(values).reshape((rows, columns or 1), order="F")


def _halved(weights, name, x):
    """A convolution of kernel 4 by 4 and stride 2, `[n, h, w, c]` to `[n, h / 2, w / 2, channels]`."""
    _, height, width, _ = x.shape
    x = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    seen = [x[:, u : u + height : 2, v : v + width : 2] for u in range(4) for v in range(4)]
    weight, bias = (weights[f"{name}.product.{part}"][0] for part in ("weight", "bias"))
    return np.concatenate(seen, -1) @ weight + bias


def _trunk(weights, name, x, k=0, activation="relu"):
    layer = 0
    while f"{name}.layers.{layer}.weight" in weights:
        weight, bias = (weights[f"{name}.layers.{layer}.{part}"][k] for part in ("weight", "bias"))
        x = x @ weight + bias
        x = np.maximum(x, 0) if activation == "relu" else 0.6 * x + 0.4 * np.sqrt(x**2 + 0.01)
        layer += 1
    return x


def _monotone(e, shift, scale, weight):
    """z = logit of the mixture of logistic laws; linear in e with one component."""
    a = (e[:, None] - shift) / scale
    if a.shape[1] == 1:
        return a[:, 0]
    tail = np.log1p(np.exp(-np.abs(a)))
    mixed = lambda terms: np.logaddexp.reduce(terms + np.log(weight), axis=1)
    return mixed(np.minimum(a, 0) - tail) - mixed(np.minimum(-a, 0) - tail)
