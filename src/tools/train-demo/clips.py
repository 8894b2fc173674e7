# SPDX-License-Identifier: LGPL-2.1-or-later
"""Training clips, made on the training device from the pack of prepare_data.py."""
import glob
import math
import os
import random

import numpy as np
import torch
import torch.nn.functional as F


def _read_image(path, channels):
    try:
        from PIL import Image
        return np.asarray(Image.open(path).convert("RGB" if channels == 3 else "RGBA")).copy()
    except ImportError:
        import cv2
        image = cv2.imread(path, cv2.IMREAD_UNCHANGED)
        return image[:, :, [2, 1, 0, 3][:channels]].copy()


def _read_video(path, short=288, limit=1500):
    import cv2
    video, frames = cv2.VideoCapture(path), []
    while len(frames) < limit:
        ok, image = video.read()
        if not ok:
            break
        h, w = image.shape[:2]
        size = (round(w * short / min(h, w)), round(h * short / min(h, w)))
        frames.append(cv2.resize(image, size, interpolation=cv2.INTER_AREA)[:, :, ::-1].copy())
    return np.stack(frames)


class ClipSource:
    """Draws random clips [T,3,size,size] in 0..1: real video or stills under a smooth camera path, moving cut-outs, photometric change."""

    def __init__(self, pack, device, seed=0, thin=1):
        """pack: folder, or "synthetic" for random pictures (tests). thin: take every n-th file."""
        self.device, self.random = device, random.Random(seed)
        to = lambda arrays: torch.from_numpy(np.stack(arrays)).movedim(-1, 1).to(device)
        if pack == "synthetic":
            noise = np.random.default_rng(seed)
            self.stills = to(np.kron(noise.integers(0, 256, (4, 8, 8, 3)), np.ones((1, 64, 64, 1))).astype(np.uint8))
            self.cutouts = to(np.kron(noise.integers(0, 256, (4, 4, 4, 4)), np.ones((1, 48, 48, 1))).astype(np.uint8))
            self.videos, self.weights = [], []
            return
        names = lambda folder: sorted(glob.glob(f"{pack}/{folder}/*"))
        self.stills = to([_read_image(f, 3) for f in names("stills")[::thin]])
        self.cutouts = to([_read_image(f, 4) for f in names("cutouts")[::thin]])
        videos = [(f, torch.from_numpy(_read_video(f))) for f in names("videos")[::thin]]
        self.videos = [v.movedim(-1, 1).to(device) for _, v in videos]
        self.weights = [1.0 if f.endswith(".mkv") else 4.0 for f, _ in videos]
        print(f"{len(self.stills)} stills, {len(self.cutouts)} cut-outs, {len(self.videos)} videos", flush=True)

    def _path(self, frames, scale, still=0.2, speed=1.0):
        """Smooth affine path over the frames: scale, angle, x, y (x, y in -1..1 of the allowed range)."""
        r = self.random
        t = torch.arange(frames, device=self.device, dtype=torch.float32)
        if r.random() < still:
            z = torch.zeros_like(t)
            return z + scale, z + r.gauss(0, 0.1), z + r.uniform(-1, 1), z + r.uniform(-1, 1)

        def walk(start, drift, swing, rate):
            return start + drift * t + swing * torch.sin(t * rate + r.uniform(0, 6.3))
        pace = speed * (0.25 if r.random() < 0.5 else 1.0)
        size = walk(0, r.gauss(0, 0.004), abs(r.gauss(0, 0.03)), r.uniform(0.02, 0.2))
        angle = walk(r.gauss(0, 0.12), r.gauss(0, 0.004), r.gauss(0, 0.03), r.uniform(0.02, 0.25))
        x = walk(r.uniform(-1, 1), r.gauss(0, 0.025) * pace, r.gauss(0, 0.12) * pace, r.uniform(0.02, 0.35))
        y = walk(r.uniform(-1, 1), r.gauss(0, 0.015) * pace, r.gauss(0, 0.06) * pace, r.uniform(0.02, 0.35))
        return scale * torch.exp(size), angle, x, y

    def _sample(self, image, path, size, place=False):
        """image [T|1,C,h,w] through the path. place: an object on an empty canvas instead of a crop of the picture."""
        s, angle, x, y = path
        h, w = image.shape[-2:]
        c, n = torch.cos(angle), torch.sin(angle)
        if place:
            m = [c / s, n / s, -(x * c + y * n) / s, -n / s, c / s, (x * n - y * c) / s]
        else:
            sx, sy = (s * h / w, s) if w > h else (s, s * w / h)
            bounce = lambda v: 1 - (v.remainder(4) - 2).abs()
            m = [c * sx, -n * sx, bounce(x) * (1 - sx).clamp(min=0), n * sy, c * sy, bounce(y) * (1 - sy).clamp(min=0)]
        m = torch.stack(m, -1).view(-1, 2, 3)
        field = F.affine_grid(m, (len(m), image.shape[1], size, size), align_corners=False)
        return F.grid_sample(image.expand(len(m), -1, -1, -1), field, mode="bilinear",
                             padding_mode="zeros" if place else "reflection", align_corners=False)

    def _ground(self, frames, size):
        r = self.random
        if self.videos and r.random() < 0.55:
            video = r.choices(self.videos, self.weights)[0]
            step = r.choice([1, 1, 1, 2]) if len(video) > 2 * frames + 2 else 1
            count = min(frames, (len(video) - 1) // step)
            first = r.randrange(0, len(video) - count * step)
            index = [first + step * min(k, count - 1) for k in range(frames)]
            if r.random() < 0.3:
                index = index[::-1]
            s, angle, x, y = self._path(frames, r.uniform(0.6, 1.0), still=0.75, speed=0.5)
            path = (s.clamp(0.45, 1.0), angle * (0.3 if r.random() < 0.8 else 1), x, y)
            out = self._sample(video[torch.tensor(index, device=self.device)].float() / 255, path, size)
        else:
            still = self.stills[r.randrange(len(self.stills))][None].float() / 255
            out = self._sample(still, self._path(frames, math.exp(r.uniform(math.log(0.38), 0))), size)
        return out.flip(-1) if r.random() < 0.5 else out

    def _object(self):
        """An RGBA picture: a cut-out, or a soft-edged blob of another still."""
        r = self.random
        if r.random() < 0.75:
            rgba = self.cutouts[r.randrange(len(self.cutouts))].float() / 255
            return torch.cat([rgba[:3] * rgba[3:], rgba[3:]])
        still = self.stills[r.randrange(len(self.stills))]
        x, y = r.randrange(320), r.randrange(320)
        q = torch.linspace(-1, 1, 192, device=self.device)
        turn, radius = torch.atan2(q[:, None], q[None]), torch.sqrt(q[:, None] ** 2 + q[None] ** 2)
        edge = 0.72 + 0.16 * torch.sin(turn * r.choice([2, 3, 4, 5]) + r.uniform(0, 6)) \
            + 0.08 * torch.sin(turn * 7 + r.uniform(0, 6))
        alpha = ((edge - radius) * 40 + 0.5).clamp(0, 1)[None]
        return torch.cat([still[:, y:y + 192, x:x + 192].float() / 255 * alpha, alpha])

    def clip(self, frames, size=256):
        r = self.random
        x = self._ground(frames, size)
        for _ in range(r.choice([0, 0, 1, 1, 2, 3])):
            path = self._path(frames, r.uniform(0.15, 0.6), still=0.15, speed=1.3)
            rgba = self._sample(self._object()[None], path, size, place=True)
            x = x * (1 - rgba[:, 3:]) + rgba[:, :3]
        if r.random() < 0.8:  # photometric change, constant over the clip
            x = x.clamp(0, 1) ** math.exp(r.gauss(0, 0.25))
            x = (x - 0.5) * math.exp(r.gauss(0.05, 0.2)) + 0.5 + r.gauss(0, 0.06)
            y = 0.299 * x[:, 0:1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:3]
            x = y + (x - y) * math.exp(r.gauss(0.0, 0.3))
            x = x * torch.tensor([math.exp(r.gauss(0, 0.07)) for _ in range(3)], device=self.device).view(1, 3, 1, 1)
            if r.random() < 0.15:
                x = x[:, torch.tensor(r.sample([0, 1, 2], 3), device=self.device)]
        return x.clamp(0, 1)

    def batch(self, count, frames, size=256, cuts=0.0):
        """[count,frames,3,size,size] uint8; a share `cuts` of the clips has a scene cut at a chunk border."""
        out = torch.empty(count, frames, 3, size, size, dtype=torch.uint8, device=self.device)
        for i in range(count):
            out[i] = (self.clip(frames, size) * 255 + 0.5).to(torch.uint8)
            if i and self.random.random() < cuts:
                k = 1 + 4 * self.random.randrange(1, max(2, (frames - 1) // 4))
                if k < frames:
                    out[i, :k] = out[i - 1, :k]
        return out
