# SPDX-License-Identifier: LGPL-2.1-or-later
"""Phase 1: the autoencoder, trained from its first step under the noise that the stream will add to its latents."""
import math
import time

import torch
import torch.nn.functional as F

import styles
from losses import pixel_loss
from optim import FlatAdamW, GraphedStep
from taehv import front_pad, init_pass_through

LATENT_STD = 2.0  # larger latents carry more signal through the unit noise of the mixing


def make_pool(source, clips, frames, size):
    """uint8 [2*clips,frames,3,size,size]: every clip as it is and in one random style."""
    plain = source.batch(clips, frames, size, cuts=0.1)
    styled = torch.empty_like(plain)
    for i in range(clips):
        name = styles.NAMES[1 + i % (len(styles.NAMES) - 1)]
        styled[i] = (styles.apply(name, plain[i].float() / 255) * 255 + 0.5).to(torch.uint8)
    return torch.cat([plain, styled])


def train_autoencoder(config, net, source, device, log):
    """config: ae_seconds, ae_steps (limit), ae_clips, ae_batch, ae_crop, size, capture. Trains the TAEHV `net` in place, from a pass-through start."""
    frames, batch, crop, size = 9, config["ae_batch"], config["ae_crop"], config["size"]
    pool = make_pool(source, config["ae_clips"], frames, size)
    torch.manual_seed(config["seed"])
    init_pass_through(net)
    optimizer = FlatAdamW([dict(params=list(net.parameters()))])
    index = torch.zeros(batch, dtype=torch.long, device=device)
    rows, cols = (torch.zeros(crop, dtype=torch.long, device=device) for _ in range(2))
    ramp = torch.arange(crop)
    at, af = torch.arange(frames, device=device), torch.arange(3, device=device)
    result = torch.zeros(3, device=device)

    def step():
        x = pool[index[:, None, None, None, None], at[:, None, None, None], af[:, None, None], rows[:, None], cols]
        x = x.float() / 255
        with torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda, cache_enabled=False):
            z, _ = net.encode(front_pad(x))
        z = z.float()
        mean, var = z.mean((0, 1, 3, 4)), z.var((0, 1, 3, 4))
        shape = mean.pow(2).mean() + (var.clamp(min=1e-4) / LATENT_STD ** 2).log().pow(2).mean() \
            + 0.2 * F.relu(z.abs() - 2.5 * LATENT_STD).mean()
        scale = 0.45 * torch.rand(batch, 1, 1, 1, 1, device=x.device)
        scale = scale * (torch.rand_like(scale) > 0.3)  # a share of clean latents
        with torch.autocast(x.device.type, torch.bfloat16, enabled=x.is_cuda, cache_enabled=False):
            y, _ = net.decode(z + torch.randn_like(z) * (scale / (1 - scale)))
        y = y[:, 3:].float()
        loss = pixel_loss(y, x)
        optimizer.step(loss + 0.02 * shape)
        error = (y.detach().clamp(0, 1) - x).pow(2).flatten(1).mean(1)
        result.copy_(torch.stack([loss.detach(), shape.detach(), (-10 * torch.log10(error + 1e-8)).mean()]))

    run = GraphedStep(step, device, capture=config["capture"])
    start, count = time.time(), 0
    while count < config["ae_steps"] and time.time() - start < config["ae_seconds"]:
        done = max(count / config["ae_steps"], (time.time() - start) / config["ae_seconds"])
        index.copy_(torch.randint(0, len(pool), (batch,)))
        for places in (rows, cols):
            line = 8 * torch.randint(0, (size - crop) // 8 + 1, (1,)) + ramp
            places.copy_(line.flip(0) if places is cols and torch.rand(()) < 0.5 else line)
        optimizer.prepare(1.5e-3 * min(1, (count + 1) / 100) * (0.51 + 0.49 * math.cos(math.pi * done)), 0.998)
        run()
        count += 1
        if count % 8 == 0 and result.is_cuda:
            torch.cuda.synchronize()  # keeps the clock honest
        if count % 200 == 0 or count == 20:
            loss, shape, psnr = result.tolist()
            log(phase="autoencoder", step=count, seconds=round(time.time() - start, 1), loss=round(loss, 4),
                shape=round(shape, 4), psnr=round(psnr, 2))
    with torch.no_grad():
        for p, average in zip(optimizer.params, optimizer.average()):
            p.data = average.clone()
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            z = torch.cat([net.encode(front_pad(pool[i:i + 4].float() / 255))[0].float() for i in range(0, min(64, len(pool)), 4)])
    log(phase="autoencoder", steps=count, latent_mean=round(z.mean().item(), 3), latent_std=round(z.std().item(), 3),
        latent_max=round(z.abs().max().item(), 2))
