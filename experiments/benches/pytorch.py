"""Pictures per second of a row of pictures.rs in PyTorch, and the utilisation of the GPU or null, as a JSON list.

Usage: pytorch.py DEVICE ROW, the device `cpu` or `cuda:N`. On the CPU one thread and its own seconds, on a GPU seconds
of the clock. Sizes, batches, losses and optimiser are the same, gradients are clipped to the same norm, and batches are
gathered on the host and uploaded, as there. Weights are PyTorch's own, since no time depends on them.
"""

import json
import os
import subprocess
import sys
import threading
import time
from functools import partial

os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import torch  # noqa: E402  (it reads the variables when imported)
from torch import nn  # noqa: E402

torch.set_num_threads(1)
torch.manual_seed(0)
device, row = torch.device(sys.argv[1]), sys.argv[2]
on_gpu = device.type == "cuda"

PAIRS, FEATURES, VARIABLES, VECTORS = 256, 32, 4, 4096
SECONDS, REPEATS, CALLS = 1.0, 5, 16
CHANNELS, MOST_CHANNELS, LATENTS, CELLS = 16, 64, 32, 4


def clock():
    if on_gpu:
        torch.cuda.synchronize(device)
        return time.perf_counter()
    return time.process_time()


class Utilisation(threading.Thread):
    """The mean utilisation of the GPU while this runs, in per cent."""

    def __init__(self):
        super().__init__(daemon=True)
        query = ["--query-gpu=utilization.gpu", "--format=csv,noheader,nounits", "-lms", "100"]
        self.process = subprocess.Popen(
            ["nvidia-smi", "-i", str(device.index or 0), *query],
            stdout=subprocess.PIPE,
            text=True,
        )
        self.seen = []
        self.start()

    def run(self):
        self.seen.extend(float(line) for line in self.process.stdout)

    def stop(self):
        self.process.terminate()
        self.join()
        return sum(self.seen) / len(self.seen) if self.seen else None


def rate(call, pictures):
    """The median of several rates, and the utilisation meanwhile; the first one warms up."""
    rates, utilisation = [], None
    for repeat in range(REPEATS + 1):
        if repeat == 1 and on_gpu:
            utilisation = Utilisation()
        start, calls = clock(), 0
        while calls == 0 or clock() - start < SECONDS:
            for _ in range(CALLS if calls else 1):
                call()
                calls += 1
        rates.append(calls * pictures / (clock() - start))
    return [sorted(rates[1:])[REPEATS // 2], utilisation.stop() if utilisation else None]


def step_rate(parameters, loss, pictures):
    parameters = list(parameters)
    adam = torch.optim.Adam(parameters, lr=3e-4, fused=True)

    def step():
        adam.zero_grad(set_to_none=True)
        loss().backward()
        nn.utils.clip_grad_norm_(parameters, 10.0, foreach=True)
        adam.step()

    return rate(step, pictures)


class Encoder(nn.Module):
    def __init__(self, side):
        super().__init__()
        sizes = [3 + 2]
        while side > CELLS:
            sizes.append(min(CHANNELS << (len(sizes) - 1), MOST_CHANNELS))
            side //= 2
        halving = (nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(sizes, sizes[1:]))
        self.layers = nn.ModuleList(halving)
        self.head = nn.Linear(CELLS * CELLS * sizes[-1], LATENTS)
        self.sizes = sizes

    def forward(self, x):
        n, _, side, _ = x.shape
        place = torch.linspace(-1.0, 1.0, side, device=x.device)
        places = torch.stack(torch.meshgrid(place, place, indexing="xy"))
        x = torch.cat([x, places.expand(n, -1, -1, -1)], 1)
        for layer in self.layers:
            x = torch.relu(layer(x))
        return self.head(x.flatten(1))


class Decoder(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        sizes = [3, *sizes[1:]][::-1]
        self.head = nn.Linear(LATENTS, CELLS * CELLS * sizes[0])
        doubling = (nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in zip(sizes, sizes[1:]))
        self.layers = nn.ModuleList(doubling)
        self.first = sizes[0]

    def forward(self, latents):
        x = self.head(latents).view(-1, self.first, CELLS, CELLS)
        for layer in self.layers:
            x = layer(torch.relu(x))
        return x


def standardised(pictures):
    return (pictures.to(device).float() / 255.0 - 0.5) / 0.25


def pictures(side):
    return torch.randint(0, 256, (2, PAIRS, 3, side, side), dtype=torch.uint8)


def train_convolutions(side, batch=32):
    sides, encoder = pictures(side), Encoder(side).to(device)
    decoder = Decoder(encoder.sizes).to(device)

    def loss():
        rows = torch.randint(PAIRS, (batch,))
        x = standardised(sides[:, rows].flatten(0, 1))
        latents = encoder(x)
        drawn = decoder(latents + torch.randn_like(latents))
        return (drawn - x).square().mean() + 1e-5 * latents.square().sum(1).mean() / 2

    return step_rate([*encoder.parameters(), *decoder.parameters()], loss, 2 * batch)


def encode_by_convolutions(side):
    sides, encoder = pictures(side), Encoder(side).to(device)

    def encode():
        with torch.inference_mode():
            for some in sides.flatten(0, 1).split(64):
                encoder(standardised(some)).cpu()

    return rate(encode, 2 * PAIRS)


class Stacked(nn.Module):
    """A linear layer of each of several networks."""

    def __init__(self, stack, d_in, d_out):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(stack, d_in, d_out) / d_in**0.5)
        self.bias = nn.Parameter(torch.zeros(stack, 1, d_out))

    def forward(self, x):
        return torch.baddbmm(self.bias, x, self.weight)


class Gaussian(nn.Module):
    def __init__(self, stack, d_in, d_out, hidden=64):
        super().__init__()
        first = [Stacked(stack, d_in, hidden), nn.ReLU()]
        self.trunk = nn.Sequential(*first, Stacked(stack, hidden, hidden), nn.ReLU())
        self.mean, self.std = (Stacked(stack, hidden, d_out) for _ in range(2))
        self.skip = nn.Parameter(torch.randn(stack, d_in, d_out) / d_in**0.5)

    def forward(self, x, scale=0.01):
        hidden = self.trunk(x)
        raw = self.std(hidden)
        std = 1e-4 + scale * 0.5 * (raw + (raw.square() + 4.0).sqrt())
        return self.mean(hidden) + torch.bmm(x, self.skip), std


def variables(replicas, batch=128, tau=0.1, broad=1.4, noise=0.1):
    """The sparsity of change of `domino_vae::ThinManifold`."""
    x = torch.randn(2, VECTORS, FEATURES)
    encoder = Gaussian(replicas, FEATURES, VARIABLES).to(device)
    decoder = Gaussian(replicas, VARIABLES, FEATURES).to(device)

    def loss():
        rows = torch.randint(VECTORS, (replicas, batch))
        sides = x[:, rows].to(device)
        both = torch.cat([sides[0], sides[1]], 1)
        mean, std = encoder(both)
        e = mean + std * torch.randn_like(std)
        drawn, _ = decoder(e)
        reconstruction = (both - drawn).square().sum(2).mean(1) / (2 * noise**2) * 2
        entropy = -2 * std.log().sum(2).mean(1)
        before, after = e.split(batch, 1)
        prior = before.square().sum(2).mean(1) / 2
        (m0, m1), (s0, s1) = mean.split(batch, 1), std.split(batch, 1)
        change = (m1 - m0).square() + s0.square() + s1.square()
        kept = change / (2 * tau**2)
        gain = kept - after.square() / (2 * broad**2)
        none = torch.zeros_like(gain[..., :1])
        targets = kept.sum(2) - torch.logsumexp(torch.cat([none, gain], 2), 2)
        return (reconstruction + entropy + prior + targets.mean(1)).sum()

    parameters = [*encoder.parameters(), *decoder.parameters()]
    return step_rate(parameters, loss, 2 * batch * replicas)


def drawing(batch=256, directions=96, hidden=128):
    inputs, coefficients = torch.randn(PAIRS, 2 * VARIABLES), torch.randn(PAIRS, directions)
    layers = [nn.Linear(2 * VARIABLES, hidden), nn.ReLU()]
    for _ in range(2):
        layers += [nn.Linear(hidden, hidden), nn.ReLU()]
    network = nn.Sequential(*layers, nn.Linear(hidden, directions)).to(device)
    skip = nn.Linear(2 * VARIABLES, directions, bias=False).to(device)

    def loss():
        rows = torch.randint(PAIRS, (batch,))
        x, y = inputs[rows].to(device), coefficients[rows].to(device)
        return (network(x) + skip(x) - y).square().sum(1).mean()

    return step_rate([*network.parameters(), *skip.parameters()], loss, batch)


ROWS = {"train the drawing, 64 x 64": drawing}
for side in (32, 64, 128):
    ROWS[f"train convolutions, {side} x {side}"] = partial(train_convolutions, side)
    ROWS[f"encode by convolutions, {side} x {side}"] = partial(encode_by_convolutions, side)
for replicas in (1, 8):
    ROWS[f"train variables on features, {replicas} at once"] = partial(variables, replicas)
json.dump(ROWS[row]() if row in ROWS else None, sys.stdout)
