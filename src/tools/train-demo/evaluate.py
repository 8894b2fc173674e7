# SPDX-License-Identifier: LGPL-2.1-or-later
"""Measures a model on the held-out clips and draws the sample sheet."""
import numpy as np
import torch

import styles
from files import write_png
from stream import Stream
from taehv import front_pad

SHEETS = ("walk", "bottle")  # clips that get a sheet


def psnr(a, b):
    return -10 * torch.log10((a - b).pow(2).mean() + 1e-10).item()


def gradients(x):
    """Gradient magnitude of the luma, [T,1,H,W]."""
    return styles.gradient(styles.luma(x))


def correlation(a, b):
    a, b = a.flatten() - a.mean(), b.flatten() - b.mean()
    return ((a * b).sum() / (a.norm() * b.norm() + 1e-9)).item()


@torch.no_grad()
def evaluate(net, dit, text, bank, clips_file, out, device, log, noise_scale=0.3, frames=33):
    """bank: prompts, of which the last of each style is used. Writes OUT/sheet-{clip}.png and logs all numbers. Returns them."""
    clips = {k: torch.from_numpy(v[:frames]).to(device).float() / 255 for k, v in np.load(clips_file).items()}
    ids, lengths = bank
    mask = torch.arange(ids.shape[-1], device=device)[None] < lengths[:, -1:]
    context = text(ids[:, -1], mask)
    names, report = styles.NAMES, {"noise_scale": noise_scale}
    own = torch.zeros(len(names), len(names))       # PSNR of prompt i's output against filter j's target
    own_edges, before, lines = own.clone(), torch.zeros(len(names)), torch.zeros(len(names))
    for clip, video in clips.items():
        z, _ = net.encode(front_pad(video[None]))
        ae = []
        for ns in (0.0, 0.2, 0.4):
            torch.manual_seed(0)
            y, _ = net.decode(z + torch.randn_like(z) * ns / (1 - ns))
            ae.append(round(psnr(y[0, 3:].clamp(0, 1), video), 2))
        targets = [styles.apply(n, video) for n in names]
        outputs = [Stream(net, dit, context[i:i + 1], noise_scale).run(video) for i in range(len(names))]
        plain = [Stream(net, dit, context[:1], ns).run(video) for ns in (0.2, 0.4)]
        frozen = Stream(net, dit, context[:1], noise_scale).run(video[:1].expand(frames, -1, -1, -1))
        report[clip] = {
            "autoencoder at 0, 0.2, 0.4": ae, "identity at 0.2, 0.4": [round(psnr(p[5:], video[5:]), 2) for p in plain],
            "identity first frame at 0.2": round(psnr(plain[0][:1], video[:1]), 2),
            "static change, grey levels": round(255 * frozen[9:].diff(dim=0).abs().mean().item(), 2)}
        for i in range(len(names)):
            before[i] += psnr(video[5:], targets[i][5:]) / len(clips)
            lines[i] += correlation(gradients(outputs[i][5:]), gradients(targets[i][5:])) / len(clips)
            for j in range(len(names)):
                own[i, j] += psnr(outputs[i][5:], targets[j][5:]) / len(clips)
                own_edges[i, j] += psnr(gradients(outputs[i][5:]), gradients(targets[j][5:])) / len(clips)
        if clip not in SHEETS:
            continue
        pick = [0, 4, frames // 3, 2 * frames // 3, frames - 1]
        rows = [torch.cat([video[p] for p in pick] + [video[pick[-1]]], -1)]
        rows += [torch.cat([o[p] for p in pick] + [t[pick[-1]]], -1) for o, t in zip(outputs, targets)]
        half = (len(rows) + 1) // 2
        columns = [torch.cat(part, -2) for part in (rows[:half], rows[half:])]
        high = max(c.shape[-2] for c in columns)
        columns = [torch.nn.functional.pad(c, (0, 8, 0, high - c.shape[-2])) for c in columns]
        sheet = torch.nn.functional.avg_pool2d(torch.cat(columns, -1)[None], 2)[0]
        write_png(f"{out}/sheet-{clip}.png", sheet)
    for i, name in enumerate(names):
        def best_other(table):
            others = [(table[i, j].item(), names[j]) for j in range(len(names)) if j != i]
            return max(others)
        other, other_edges = best_other(own), best_other(own_edges)
        report[name] = {
            "own": round(own[i, i].item(), 2), "best other": [round(other[0], 2), other[1]],
            "hit": own[i, i].item() > other[0], "edges own": round(own_edges[i, i].item(), 2),
            "edges best other": [round(other_edges[0], 2), other_edges[1]],
            "edges hit": own_edges[i, i].item() > other_edges[0],
            "gain over input": round((own[i, i] - before[i]).item(), 2), "line correlation": round(lines[i].item(), 3)}
    for key, value in report.items():
        log(phase="evaluation", **{"name": key, "value": value})
    return report
