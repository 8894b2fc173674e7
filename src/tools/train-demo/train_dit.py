# SPDX-License-Identifier: LGPL-2.1-or-later
"""Phase 2: DiT and text encoder, with the decoder trained along; the encoder is frozen.

All targets (styled pixels and their latents) are computed ahead and stay on the device; the whole step is one function of
static buffers, so that it can be captured in a CUDA graph.
"""
import math
import time

import torch

import styles
from causal_dit import parallel_block
from losses import pixel_loss
from optim import FlatAdamW, GraphedStep
from schedule import FIRST_TIMESTEP, sigma_of, timestep_of
from taehv import front_pad

FRAMES = 8           # latent frames of a clip
WINDOW = 3           # latent frames decoded for the pixel loss
PREDICTED, CLEAN = 4, 2  # clips of a batch whose prediction / whose clean target is decoded
# Line styles and styles near to the original separate last: they are drawn more often.
STYLE_WEIGHTS = dict(identity=1.6, sketch=1.4, cartoon=1.4, watercolour=1.1, noir=1.1)


@torch.no_grad()
def make_cache(net, source, clips, size, device, seconds, chunk=8):
    """Styled pixels [n,styles,29,3,H,W] uint8, their latents [n,styles,8,16,h,w] fp16, latents of the noisy camera picture."""
    frames, count, start, made = 1 + 4 * (FRAMES - 1), len(styles.NAMES), time.time(), 0
    chunk = min(chunk, clips)
    pixels = torch.zeros(clips, count, frames, 3, size, size, dtype=torch.uint8, device=device)
    latents = torch.zeros(clips, count, FRAMES, 16, size // 8, size // 8, dtype=torch.float16, device=device)
    camera = torch.zeros(clips, FRAMES, 16, size // 8, size // 8, dtype=torch.float16, device=device)
    while made + chunk <= clips and (made == 0 or time.time() - start < seconds):
        x = source.batch(chunk, frames, size, cuts=0.3).float() / 255
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda"):
            for s in range(count):
                y = styles.apply(s, x.flatten(0, 1)).view(x.shape)
                pixels[made:made + chunk, s] = (y * 255 + 0.5).to(torch.uint8)
                latents[made:made + chunk, s] = net.encode(front_pad(y))[0].half()
            grain = torch.rand(chunk, 1, 1, 1, 1, device=device) * 0.03
            camera[made:made + chunk] = net.encode(front_pad((x + torch.randn_like(x) * grain).clamp(0, 1)))[0].half()
        made += chunk
    print(f"cache: {made} clips in {time.time() - start:.1f} s", flush=True)
    return pixels[:made], latents[:made], camera[:made]


def draw(clips, batch, prompts):
    """The random choices of one step, on the host. What the stream meets is drawn: scene cuts between sinks and the rest, prompt
    switches, gaps between the time indices of the sinks and the rest, the position refresh, jumps of the noise scale."""
    names = styles.NAMES
    weights = torch.tensor([STYLE_WEIGHTS.get(n, 1.0) for n in names])
    r, frame = torch.rand(batch, 9), torch.arange(FRAMES)[None]
    pick = lambda n: torch.multinomial(weights, n, replacement=True)[:, None]
    clip, style = torch.randint(0, clips, (batch, 1)).expand(batch, FRAMES), pick(batch).expand(batch, FRAMES)
    foreign = (r[:, 1] < 0.3)[:, None] & (frame < 3)
    clip = torch.where(foreign, torch.randint(0, clips, (batch, 1)), clip)
    switch = torch.where((r[:, 1] < 0.12)[:, None], 3, torch.randint(2, FRAMES, (batch, 1)))
    old = ((r[:, 1] < 0.12) | (r[:, 2] < 0.13))[:, None] & (frame < switch)
    style = torch.where(old, pick(batch), style)
    gap = torch.where(r[:, 3] < 0.5, 0.0, torch.where(r[:, 3] < 0.95, r[:, 4] * 46, r[:, 4] * 400)).long()
    index = frame + gap[:, None] * (frame >= 3)
    index = torch.where((r[:, 5] < 0.08)[:, None] & (frame >= 6), frame - 1, index)
    level = torch.rand(batch, 1)
    level = torch.where(torch.rand(batch, 1) < 0.9, 0.1 + 0.4 * level, 0.5 + 0.2 * level)
    motion = (torch.rand(batch, 1) + 0.4 * torch.randn(batch, FRAMES)).clamp(0, 1) * (torch.rand(batch, 1) < 0.6)
    noise = (level - 0.1 * motion * (frame >= 2)).clamp(0.05, 0.8)
    jitter = ((torch.rand(batch, 1) < 0.15) * torch.randn(batch, FRAMES) * 30).round()
    t = (timestep_of(noise) + jitter).clamp(50, 800)
    t = torch.where((r[:, 8:9] < 0.6) & (frame < 2), float(FIRST_TIMESTEP), t)
    start = torch.randint(0, FRAMES - WINDOW + 1, (PREDICTED + CLEAN,)) * (torch.rand(PREDICTED + CLEAN) > 0.25)
    same = (style[:, 1:] == style[:, :-1]) & (clip[:, 1:] == clip[:, :-1])
    return dict(clip=clip, style=style, index=index, noise=noise, t=t, sigma=sigma_of(t), same=same.float(),
                new=style[:, -1], old=style[:, 0], is_new=(style == style[:, -1:]).float(), start=start,
                prompt=torch.randint(0, prompts, (2, batch)), camera=(r[:, 6] < 0.35).float())


class DitTrainer:
    def __init__(self, config, net, dit, text, bank, cache, device):
        """bank: (ids [styles,prompts,L], lengths [styles,prompts])."""
        self.config, self.net, self.dit, self.text, self.bank, self.device = config, net, dit, text, bank, device
        self.pixels, self.latents, self.camera = cache
        self.block_fn = parallel_block
        parameters = list(dit.parameters()) + list(text.parameters())
        self.optimizer = FlatAdamW([
            dict(params=[p for p in parameters if p.dim() >= 2], weight_decay=0.02),
            dict(params=[p for p in parameters if p.dim() < 2]),
            dict(params=list(net.decoder.parameters()), lr=0.3)])
        self.result = torch.zeros(4, device=device)
        self.input = {k: v.to(device).contiguous() for k, v in self._draw().items()}
        self.frame = torch.arange(FRAMES, device=device)[None].expand(config["batch"], FRAMES)
        # Made here, because a copy from the host cannot be captured in the step.
        self.rows = torch.cat([torch.arange(PREDICTED), torch.arange(CLEAN)]).to(device)

    def _draw(self):
        return draw(len(self.pixels), self.config["batch"], self.bank[0].shape[1])

    def _context(self, b):
        """Text context per frame: the old prompt's before a switch, the new one's after it. [B,F,L,dim]"""
        ids, lengths = self.bank
        style, prompt = torch.cat([b["new"], b["old"]]), b["prompt"].flatten()
        mask = torch.arange(ids.shape[-1], device=self.device)[None] < lengths[style, prompt][:, None]
        both = self.text(ids[style, prompt], mask)
        new, old = both.chunk(2)
        is_new = b["is_new"][..., None, None].to(both.dtype)
        return is_new * new[:, None] + (1 - is_new) * old[:, None]

    def step(self):
        b, device = self.input, self.device
        wide = lambda v: v[..., None, None, None]
        source = self.latents[b["clip"], 0, self.frame].float()
        use_camera = b["camera"][:, None, None, None, None]
        source = use_camera * self.camera[b["clip"], self.frame].float() + (1 - use_camera) * source
        target = self.latents[b["clip"], b["style"], self.frame].float()
        noise, sigma = wide(b["noise"]), wide(b["sigma"])
        x = noise * torch.randn_like(source) + (1 - noise) * source
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda", cache_enabled=False):
            flow = self.dit(x, b["t"], self._context(b).flatten(0, 1), b["index"], self.block_fn)
        x0 = x - sigma * flow.float()
        # Flow weighting: the x0 error over the root of sigma, so that small told times do not fade out.
        weight = (0.2 / sigma).sqrt()
        d = x0 - target
        latent = (torch.sqrt(d * d + 1e-3) * weight).mean()
        change = ((d[:, 1:] - d[:, :-1]).abs() * wide(b["same"]) * weight[:, 1:]).mean()
        pixel = self._pixel_term(b, x0, target)
        self.optimizer.step(0.5 * latent + 0.1 * change + self.config["pixel_weight"] * pixel)
        self.result.copy_(torch.stack([d.detach().abs().mean(), latent.detach(), change.detach(), pixel.detach()]))

    def _pixel_term(self, b, x0, target):
        """Decodes windows of some predictions and some clean targets from zero memory, stream starts included."""
        device, rows = self.device, self.rows
        f = b["start"][:, None] + torch.arange(WINDOW, device=device)[None]  # [clips,WINDOW] latent frames
        z = torch.cat([x0[rows[:PREDICTED, None], f[:PREDICTED]], target[rows[PREDICTED:, None], f[PREDICTED:]]])
        with torch.autocast(device, torch.bfloat16, enabled=device == "cuda", cache_enabled=False):
            y, _ = self.net.decode(z)
        place = (4 * f - 3)[..., None] + torch.arange(4, device=device)      # latent f is pixel frames 4f-3 .. 4f
        valid = place >= 0
        place = place.clamp(min=0)
        clip, style = b["clip"][rows[:, None], f], b["style"][rows[:, None], f]
        want = self.pixels[clip[..., None], style[..., None], place].flatten(1, 2).float() / 255
        # Inside a stream the memory of the window's first latent is missing: only its stream-start frame counts.
        counts = valid & ((torch.arange(WINDOW, device=device)[None, :, None] > 0) | (f == 0)[..., None])
        counts = counts.flatten(1)[:, :, None, None, None]
        return pixel_loss((y.float() * counts)[:, 3:], (want * counts)[:, 3:])

    def learning_rate(self, count, done):
        c = self.config
        warm = min(1, (count + 1) / c["warm_up"])
        decay = 1 if done < c["decay_from"] else 0.5 + 0.5 * math.cos(math.pi * (done - c["decay_from"]) / (1 - c["decay_from"]))
        return c["rate"] * warm * (c["rate_end"] + (1 - c["rate_end"]) * decay)

    def train(self, log, save, first_step=0):
        """Runs until config dit_seconds or dit_steps; save(step) about once a minute. Returns the step count."""
        c = self.config
        if c["compile"]:
            self.block_fn = torch.compile(parallel_block, dynamic=False)
        run = GraphedStep(self.step, self.device, capture=c["capture"])
        start, count, saved = time.time(), 0, time.time()
        while count < c["dit_steps"] and time.time() - start < c["dit_seconds"]:
            for key, value in self._draw().items():
                self.input[key].copy_(value)
            done = max(count / c["dit_steps"], (time.time() - start) / c["dit_seconds"])
            self.optimizer.prepare(self.learning_rate(count, done), 0.999)
            try:
                run()
            except Exception as error:
                if self.block_fn is parallel_block:
                    raise
                print("compiled blocks failed, going on without:", repr(error)[:500], flush=True)
                self.block_fn = parallel_block
            count += 1
            if count % 8 == 0 and self.result.is_cuda:
                torch.cuda.synchronize()
            if count in (2, 10, 50, 100) or count % 250 == 0:
                a, latent, change, pixel = self.result.tolist()
                log(phase="dit", step=first_step + count, seconds=round(time.time() - start, 1), error=round(a, 4),
                    latent=round(latent, 4), change=round(change, 4), pixel=round(pixel, 4))
            if time.time() - saved > 60:
                save(first_step + count)
                saved = time.time()
        return first_step + count
