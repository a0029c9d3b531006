#!/usr/bin/env python3
"""Weights from here to PyTorch and back: trains examples/own_model here, goes on there, and here again.

    meson compile -C build own_model
    python tests/pytorch_exchange.py build/examples/own_model

Needs torch and safetensors; written with torch 2.15.0 and safetensors 0.8.0. Ends with 1 if an error is not what it
must be: what a file is loaded into would be as bad as at random if a name, a layout or an order of gates were another.
"""

import math
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

FILE = 'next_point.safetensors'


class NextPoint(nn.Module):
    """As in examples/own_model.cpp."""

    def __init__(self):
        super().__init__()
        self.gru = nn.GRU(1, 32, batch_first=True)
        self.output = nn.Linear(32, 1)

    def forward(self, curve):
        return self.output(self.gru(curve)[0])


def waves(batch, points):
    """Sine waves of random frequency and phase, [batch, points + 1, 1]."""
    frequency, phase = 0.2 + 0.4 * torch.rand(batch, 1), 6.28 * torch.rand(batch, 1)
    return torch.sin(phase + frequency * torch.arange(points + 1)).unsqueeze(2)


def error(model, curve):
    return nn.functional.mse_loss(model(curve[:, :-1]), curve[:, 1:])


def run(program, directory, *arguments):
    """The mean square errors that own_model prints, the first and the last."""
    text = subprocess.run([program, *arguments], cwd=directory, check=True, capture_output=True, text=True).stdout
    losses = [float(loss) for loss in re.findall(r'loss ([\d.]+)', text)]
    return losses[0], losses[-1]


def main():
    program = str(Path(sys.argv[1]).resolve())
    torch.manual_seed(1)
    curves = waves(256, 24)
    at_random = error(NextPoint(), curves).item()
    faults = []
    with tempfile.TemporaryDirectory() as directory:
        first, last = run(program, directory)
        model = NextPoint()
        model.load_state_dict(load_file(Path(directory) / FILE))
        loaded = error(model, curves).item()
        print(f'at random {at_random:.5f}; trained here from {first:.5f} to {last:.5f}; loaded by PyTorch {loaded:.5f}')
        if not loaded < 2 * last < at_random / 5:
            faults.append('PyTorch has not loaded what was trained here')

        optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
        for _ in range(300):
            optimizer.zero_grad()
            loss = error(model, waves(32, 24))
            loss.backward()
            optimizer.step()
        there = error(model, curves).item()
        save_file(model.state_dict(), Path(directory) / FILE)
        again, end = run(program, directory, FILE)
        print(f'trained there to {there:.5f}; goes on here from {again:.5f} to {end:.5f}')
        if not (there < loaded and math.isclose(again, there, rel_tol=0.5) and again < last):
            faults.append('what PyTorch has saved was not loaded here')
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
