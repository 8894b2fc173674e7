# SPDX-License-Identifier: LGPL-2.1-or-later
"""Pixel loss: colour, edges at three scales, how much line there is in a place, and change from frame to frame."""
import torch.nn.functional as F


def edges(d):
    return (d[..., 1:] - d[..., :-1]).abs().mean() + (d[..., 1:, :] - d[..., :-1, :]).abs().mean()


def line_strength(x):
    """Mean absolute differences in x and y over squares of 8 pixels. [N,3,H,W]"""
    along = F.avg_pool2d((x[..., 1:] - x[..., :-1]).abs()[..., :-1, :], 8)
    down = F.avg_pool2d((x[..., 1:, :] - x[..., :-1, :]).abs()[..., :-1], 8)
    return along + down


def pixel_loss(got, want):
    """got, want [B,T,3,H,W]. Mean absolute error, its differences in x, y and time, and colour at an eighth of the size.

    A line that is uncertain by a pixel is best drawn pale and wide for all differences alone; line_strength, which does not ask
    where in its square a line is, keeps it as strong as the target's.
    """
    d = got - want
    loss = d.abs().mean() + 0.8 * (d[:, 1:] - d[:, :-1]).abs().mean() + 2.0 * d.pow(2).mean()
    loss = loss + 2.0 * (line_strength(got.flatten(0, 1)) - line_strength(want.flatten(0, 1))).abs().mean()
    d = d.flatten(0, 1)
    for scale in range(3):
        if scale:
            d = F.avg_pool2d(d, 2)
            loss = loss + 0.3 * d.abs().mean()
        loss = loss + 0.5 * edges(d)
    d = F.avg_pool2d(d, 2)
    colour = (d[:, 0] - d[:, 1]).abs().mean() + (d[:, 2] - 0.5 * (d[:, 0] + d[:, 1])).abs().mean()
    return loss + 0.7 * d.abs().mean() + 0.5 * colour
