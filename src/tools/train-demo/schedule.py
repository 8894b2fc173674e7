# SPDX-License-Identifier: LGPL-2.1-or-later
"""Flow-match schedule (shift 8) and the stream's rule from noise scale to timestep."""
import torch

_s = torch.linspace(1, 0, 1001)[:-1]
_SIGMAS = (8 * _s / (1 + 7 * _s)).flip(0).contiguous()  # ascending


def sigma_of(t):
    """Sigma of the table time nearest to the integer timestep t (tensor or number; CPU)."""
    t = torch.as_tensor(t, dtype=torch.float32)
    flat, table = t.flatten().contiguous(), _SIGMAS * 1000
    right = torch.searchsorted(table, flat).clamp(1, 999)
    low, high = table[right - 1], table[right]
    return (torch.where(flat - low < high - flat, low, high) / 1000).view(t.shape)


def timestep_of(noise_scale):
    """What the network is told for a chunk that was mixed with this noise scale (a tensor); never below 50."""
    return ((1000 * noise_scale).floor() - 100).clamp(min=50)


FIRST_TIMESTEP = 700  # the first chunk of a stream
