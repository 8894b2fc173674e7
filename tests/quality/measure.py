# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures of pictures, [T,3,H,W] in 0..1, beside those of the trainer's evaluate.py."""
import torch
import torch.nn.functional as F

from styles import luma

BLOCK, REACH = 8, 6  # pixels: size of the squares whose motion is found, and how far it may go


def tensor(pictures):
    """[T,H,W,3] uint8 -> [T,3,H,W] in 0..1."""
    return torch.from_numpy(pictures.copy()).permute(0, 3, 1, 2).float() / 255


def gradients(x):
    """Gradient magnitude of the luma, by central differences: [T,1,H-2,W-2].

    Not the trainer's, which repeats the border and is smooth at zero: the numbers would be others.
    """
    y = luma(x)
    gx = (y[..., 1:-1, 2:] - y[..., 1:-1, :-2]) / 2
    gy = (y[..., 2:, 1:-1] - y[..., :-2, 1:-1]) / 2
    return torch.sqrt(gx * gx + gy * gy)


def block_flow(video):
    """Where each square of a frame was in the frame before: offsets (dy, dx) in pixels, [T-1,2,H,W].

    Full search by the sum of absolute luma differences; ties go to the shortest way.
    """
    y = luma(video)
    before, now = F.pad(y[:-1], (REACH,) * 4, "replicate"), y[1:]
    h, w = now.shape[-2:]
    best, flow = None, None
    ways = sorted(((dy, dx) for dy in range(-REACH, REACH + 1) for dx in range(-REACH, REACH + 1)),
                  key=lambda way: way[0] ** 2 + way[1] ** 2)
    for dy, dx in ways:
        there = before[..., REACH + dy:REACH + dy + h, REACH + dx:REACH + dx + w]
        cost = F.avg_pool2d((now - there).abs(), BLOCK)
        here = torch.tensor([dy, dx], dtype=torch.float32).view(1, 2, 1, 1).expand(len(now), -1, *cost.shape[-2:])
        if best is None:
            best, flow = cost, here
        else:
            better = cost < best - 1e-4
            best, flow = torch.where(better, cost, best), torch.where(better, here, flow)
    return flow.repeat_interleave(BLOCK, -1).repeat_interleave(BLOCK, -2)


def warp_error(video, flow):
    """Mean absolute difference of each frame from the frame before, moved by the flow of block_flow."""
    h, w = video.shape[-2:]
    ys, xs = torch.meshgrid(torch.arange(h), torch.arange(w), indexing="ij")
    x, y = xs + flow[:, 1], ys + flow[:, 0]
    place = torch.stack([2 * x / (w - 1) - 1, 2 * y / (h - 1) - 1], -1)
    moved = F.grid_sample(video[:-1], place, mode="nearest", padding_mode="border", align_corners=True)
    return (video[1:] - moved).abs().mean().item()
