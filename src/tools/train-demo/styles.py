# SPDX-License-Identifier: LGPL-2.1-or-later
"""Style targets: image filters as torch operations, x [N,3,H,W] in 0..1 -> same.

Every step is soft, so that small changes of the input give small changes of the output (no flicker). Lines are at least
three pixels wide, so that the autoencoder can carry them. Textures repeat every 8 pixels, the spacing of latents.
"""
import torch
import torch.nn.functional as F


def luma(x):
    return 0.299 * x[:, 0:1] + 0.587 * x[:, 1:2] + 0.114 * x[:, 2:3]


def box(x, r):
    """Mean over (2r+1) x (2r+1)."""
    k = 2 * r + 1
    x = F.avg_pool2d(F.pad(x, (r, r, 0, 0), "replicate"), (1, k), 1)
    return F.avg_pool2d(F.pad(x, (0, 0, r, r), "replicate"), (k, 1), 1)


def blur(x, r):
    return box(box(x, r), r)


def shift(x, dx, dy):
    p = max(abs(dx), abs(dy))
    y = F.pad(x, (p, p, p, p), "replicate")
    h, w = x.shape[-2:]
    return y[..., p + dy:p + dy + h, p + dx:p + dx + w]


def smoothstep(a, b, x):
    t = ((x - a) / (b - a)).clamp(0, 1)
    return t * t * (3 - 2 * t)


def saturate(x, s):
    y = luma(x)
    return y + (x - y) * s


def gradient(y):
    gx = (shift(y, 1, 0) - shift(y, -1, 0)) * 0.5
    gy = (shift(y, 0, 1) - shift(y, 0, -1)) * 0.5
    return torch.sqrt(gx * gx + gy * gy + 1e-6) - 1e-3


def colour(x, r, g, b):
    return torch.tensor([r, g, b], device=x.device, dtype=x.dtype).view(1, 3, 1, 1)


def mix(a, b, w):
    return a + (b - a) * w


def ramp(t, colours):
    """Piecewise linear colour ramp, t [N,1,H,W] in 0..1."""
    c = torch.tensor(colours, device=t.device, dtype=t.dtype)
    z = t.clamp(0, 1) * (len(colours) - 1)
    out = c[0].view(1, 3, 1, 1)
    for i in range(len(colours) - 1):
        out = out + (c[i + 1] - c[i]).view(1, 3, 1, 1) * (z - i).clamp(0, 1)
    return out


def kuwahara(x, r, q=6.0):
    """Soft Kuwahara: the four quadrant means weighted by inverse variance to the power q/2. Flattens areas, keeps edges."""
    h = r // 2
    y = luma(x)
    m, my, m2 = box(x, h), box(y, h), box(y * y, h)
    v = (m2 - my * my).clamp(min=0) + 1e-4
    num, den = 0, 0
    for dx, dy in ((-h, -h), (h, -h), (-h, h), (h, h)):
        w = (1e-3 / shift(v, dx, dy)) ** (q / 2)
        num, den = num + w * shift(m, dx, dy), den + w
    return num / (den + 1e-12)


def soft_levels(y, n, k=0.15):
    """n flat levels joined by soft steps of half-width k."""
    z = y.clamp(0, 1) * (n - 1)
    f = torch.floor(z)
    return (f + smoothstep(0.5 - k, 0.5 + k, z - f)) / (n - 1)


def grid(x):
    """Pixel coordinates [1,W] and [H,1]."""
    h, w = x.shape[-2:]
    return (torch.arange(w, device=x.device, dtype=x.dtype)[None], torch.arange(h, device=x.device, dtype=x.dtype)[:, None])


def ink(y, low, high):
    """Dark side of edges, 0..1: how much darker a place is than its surroundings, and steep edges, as strokes of 3-4 pixels."""
    s = box(y, 1)
    valley = smoothstep(low, high, blur(s, 3) - s)
    edge = smoothstep(1.6 * low, 1.6 * high, gradient(box(s, 1)))
    return torch.maximum(valley, edge)


def identity(x):
    return x


def sketch(x):
    y = luma(x)
    line = ink(y, 0.02, 0.075)
    tone = blur(y, 2)
    px, py = grid(x)
    stroke = 0.5 + 0.5 * torch.cos((px + py) * (2 * torch.pi / 8))   # hatching: one direction in shade, the other in the dark
    cross = 0.5 + 0.5 * torch.cos((px - py) * (2 * torch.pi / 8))
    hatch = 0.45 * smoothstep(0.52, 0.18, tone) * stroke + 0.35 * smoothstep(0.28, 0.08, tone) * cross
    shade = 0.10 * smoothstep(0.75, 0.2, tone)
    g = (1 - shade) * (1 - hatch) * (1 - 0.88 * line)
    return (0.06 + 0.92 * g) * colour(x, 1.0, 0.985, 0.95)


def cartoon(x):
    k = kuwahara(kuwahara(x, 4), 4)
    y = luma(k)
    flat = soft_levels(0.12 + 0.95 * y, 4, 0.2)
    k = saturate(k * ((flat + 0.05) / (y + 0.05)).clamp(0, 2.4), 1.9)
    return k.clamp(0, 1) * (1 - 0.97 * ink(luma(x), 0.022, 0.06))


def watercolour(x):
    k = kuwahara(kuwahara(x, 6), 4)
    y = luma(k)
    k = saturate(k, 1.9).clamp(0, 1)
    pool = smoothstep(0.02, 0.12, box(gradient(y), 1))               # pigment gathers at the borders of a wash
    k = 1 - (1 - k) * (0.55 + 0.45 * pool)
    paper = smoothstep(0.55, 0.85, y)
    return mix(k, colour(x, 0.99, 0.975, 0.93), 0.85 * paper)


def blueprint(x):
    y = luma(x)
    line = smoothstep(0.014, 0.06, gradient(blur(y, 1)))
    px, py = grid(x)
    rule = torch.maximum(((px % 16) < 1).to(x.dtype), ((py % 16) < 1).to(x.dtype))
    ground = colour(x, 0.04, 0.19, 0.52) * (0.8 + 0.35 * blur(y, 2)) + 0.09 * rule
    return mix(ground, colour(x, 0.9, 0.96, 1.0), 0.95 * line)


def neon(x):
    y = luma(x)
    line = smoothstep(0.014, 0.06, gradient(blur(y, 1)))
    hue = mix(colour(x, 1.0, 0.10, 0.75), colour(x, 0.05, 0.95, 1.0), smoothstep(0.3, 0.6, blur(y, 6)))
    ground = colour(x, 0.03, 0.02, 0.10) + 0.10 * blur(y, 2) * colour(x, 0.6, 0.3, 1.0)
    return ground + hue * (0.9 * line + 0.6 * blur(line, 3)) + 0.3 * line * line


def noir(x):
    y = luma(x)
    y = y + 0.7 * (y - blur(y, 8))
    return smoothstep(0.18, 0.78, y).expand(-1, 3, -1, -1)


def sepia(x):
    y = luma(x).clamp(1e-3, 1) ** 0.85
    return (0.16 + 0.80 * y) * colour(x, 1.0, 0.78, 0.48)


def thermal(x):
    s = blur(luma(x), 1)
    return ramp(smoothstep(0.0, 1.0, s) * 0.6 + s * 0.4,
                [(0.0, 0.0, 0.2), (0.2, 0.0, 0.6), (0.7, 0.0, 0.6), (0.97, 0.25, 0.1), (1.0, 0.75, 0.0), (1.0, 1.0, 0.8)])


def popart(x):
    s = luma(kuwahara(x, 6))
    s = s + 0.35 * (s - blur(s, 8))
    dots = 0.5 + 0.25 * (torch.cos(grid(x)[0] * (2 * torch.pi / 8)) + torch.cos(grid(x)[1] * (2 * torch.pi / 8)))
    out = mix(colour(x, 0.10, 0.05, 0.35), colour(x, 0.93, 0.08, 0.42), smoothstep(0.22, 0.30, s))
    half = smoothstep(-0.12, 0.12, (s - 0.38) / 0.30 - dots)          # red dots grow into a yellow ground
    return mix(mix(out, colour(x, 1.0, 0.86, 0.12), half), colour(x, 1.0, 0.98, 0.85), smoothstep(0.74, 0.82, s))


STYLES = {f.__name__: f for f in (identity, sketch, cartoon, watercolour, blueprint, neon, noir, sepia, thermal, popart)}
NAMES = list(STYLES)
LINE_STYLES = ("sketch", "neon", "blueprint")


def apply(name, x):
    """Filter `name` (or its index) on frames [N,3,H,W] in 0..1, in float32."""
    name = NAMES[name] if isinstance(name, int) else name
    with torch.autocast(x.device.type, enabled=False):
        return STYLES[name](x.float()).clamp(0, 1)
