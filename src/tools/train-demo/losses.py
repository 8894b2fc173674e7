# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pixel loss: colour, edges at three scales, and change from frame to frame."""
import torch.nn.functional as F


def edges(d):
    return (d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean()


def pixel_loss(got, want):
    """got, want [B,T,3,H,W]. Mean absolute error, its differences in x, y and time, and colour at an eighth of the size."""
    d = got - want
    loss = d.abs().mean() + 0.5 * (d[:, 1:] - d[:, :-1]).abs().mean() + 2.0 * d.pow(2).mean()
    d = d.flatten(0, 1)
    for scale in range(3):
        if scale:
            d = F.avg_pool2d(d, 2)
            loss = loss + 0.3 * d.abs().mean()
        loss = loss + 0.5 * edges(d)
    d = F.avg_pool2d(d, 2)
    colour = (d[:, 0] - d[:, 1]).abs().mean() + (d[:, 2] - 0.5 * (d[:, 0] + d[:, 1])).abs().mean()
    return loss + 0.7 * d.abs().mean() + 0.5 * colour
