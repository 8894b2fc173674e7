# SPDX-License-Identifier: LGPL-2.1-or-later
"""The stream as the engine runs it (one step, ring of 6 with 3 sinks, motion-aware noise): for sheets and measurements."""
import torch

from causal_dit import SINKS, SLOTS
from schedule import FIRST_TIMESTEP, sigma_of, timestep_of
from taehv import front_pad

REFRESH_AT, REFRESH_TO = 50, 5


class Stream:
    def __init__(self, net, dit, context, noise_scale, seed=0):
        """context [1,L,text_dim]; device and type follow the networks."""
        self.net, self.dit, self.initial, self.noise = net, dit, noise_scale, noise_scale
        self.generator = torch.Generator().manual_seed(seed)
        self.encoder_state = self.decoder_state = self.ring = self.last = None
        self.index = self.chunk = 0
        self.set_context(context)

    def set_context(self, context):
        self.cross = self.dit.cross_cache(context)

    def _refresh(self):
        """Turns the time part of every cached key back, so that the window stays contiguous."""
        inverse = 10000.0 ** (-torch.arange(22, dtype=torch.float64) / 22)
        angle = (REFRESH_TO - self.index) * inverse
        for k in self.ring["k"]:
            cos, sin = (a.to(k.device, k.dtype) for a in (angle.cos(), angle.sin()))
            a, b = k[..., :44].unflatten(-1, (22, 2)).unbind(-1)
            k[..., :44] = torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)
        self.index = REFRESH_TO

    def _denoise(self, z):
        """z [n,16,h,w] -> x0"""
        first = self.chunk == 0
        if first:
            self.ring = self.dit.new_stream(z.shape[-1] * z.shape[-2] // 4)
        elif self.index >= REFRESH_AT:
            self._refresh()
        place = self.chunk + 1
        slot = 0 if first else place if place < SLOTS else SINKS + (place - SINKS) % (SLOTS - SINKS)
        t = float(FIRST_TIMESTEP if first else timestep_of(torch.tensor(self.noise)))
        x = self.noise * torch.randn(z.shape, generator=self.generator).to(z) + (1 - self.noise) * z
        x0 = x - sigma_of(t).item() * self.dit.stream_step(self.ring, x, t, self.index, self.cross, slot)
        self.index += len(z)
        return x0

    @torch.no_grad()
    def push(self, frames):
        """5 frames [5,3,H,W] in 0..1 at first, then 4 at a time -> the same number of styled frames."""
        first = self.chunk == 0
        if not first:
            d = (torch.cat([self.last, frames]) * 2 - 1).diff(dim=0)
            motion = (d.pow(2).mean((1, 2, 3)).sqrt().max() / 0.2).clamp(0, 1).item()
            self.noise = (self.initial - 0.1 * motion) * 0.9 + self.noise * 0.1
        self.last = frames[-1:]
        z, self.encoder_state = self.net.encode(front_pad(frames[None]) if first else frames[None], self.encoder_state)
        y, self.decoder_state = self.net.decode(self._denoise(z[0])[None], self.decoder_state)
        self.chunk += 1
        return y[0, 3:].clamp(0, 1) if first else y[0].clamp(0, 1)

    def run(self, video):
        """video [1+4n,3,H,W]"""
        return torch.cat([self.push(video[:5])] + [self.push(part) for part in video[5:].split(4) if len(part) == 4])
