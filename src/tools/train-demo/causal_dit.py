# SPDX-License-Identifier: LGPL-2.1-or-later
"""Causal Wan DiT (patch 1x2x2, head size 128). Parameter names are Wan's keys.

`forward` trains a whole clip in parallel and equals the stream's KV ring (3 sink frames + the 3 newest, one frame per chunk
after a first chunk of two): keys and values of a frame depend only on that frame's own pass, so frame f attends to frames
{0,1,2} and {f-2,f-1,f}. `stream_step` is the ring itself.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

HEAD = 128
SINKS, SLOTS, FIRST = 3, 6, 2  # frames: sinks, ring, first chunk


class RMSNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight.to(x.dtype), 1e-6)


class Attention(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.q, self.k, self.v, self.o = (nn.Linear(dim, dim) for _ in range(4))
        self.norm_q, self.norm_k = RMSNorm(dim), RMSNorm(dim)


def rotation_tables(index, rows, cols):
    """index [R]: time index of every frame -> cos, sin [R, rows*cols, 1, 64] in float64 (22 pairs time, 21 row, 21 column)."""
    def angles(pairs, place):
        inverse = 10000.0 ** (-torch.arange(pairs, device=index.device, dtype=torch.float64) / pairs)
        return place.double()[..., None] * inverse
    r, tokens = index.shape[0], rows * cols
    t = angles(22, index)[:, None].expand(r, tokens, 22)
    y = angles(21, torch.arange(rows, device=index.device))[:, None].expand(rows, cols, 21).reshape(1, tokens, 21)
    x = angles(21, torch.arange(cols, device=index.device))[None].expand(rows, cols, 21).reshape(1, tokens, 21)
    a = torch.cat([t, y.expand(r, -1, -1), x.expand(r, -1, -1)], -1)[:, :, None]
    return a.cos(), a.sin()


def rotate(x, cos, sin):
    """Rotates adjacent pairs; x [..., heads, 128]."""
    a, b = x.unflatten(-1, (HEAD // 2, 2)).unbind(-1)
    return torch.stack([a * cos - b * sin, a * sin + b * cos], -1).flatten(-2)


class Block(nn.Module):
    def __init__(self, dim, ffn):
        super().__init__()
        self.dim, self.heads = dim, dim // HEAD
        self.self_attn, self.cross_attn = Attention(dim), Attention(dim)
        self.norm3 = nn.LayerNorm(dim, eps=1e-6)
        self.ffn = nn.Sequential(nn.Linear(dim, ffn), nn.GELU("tanh"), nn.Linear(ffn, dim))
        self.modulation = nn.Parameter(torch.randn(1, 6, dim) / dim ** 0.5)

    def qkv(self, x, m, cos, sin):
        """x [R,S,dim] (one row per frame), m [R,6,dim] -> q, k, v [R,S,heads,128], q and k rotated."""
        a = self.self_attn
        y = F.layer_norm(x, (self.dim,), eps=1e-6) * (1 + m[:, 1:2]) + m[:, 0:1]
        split = (*x.shape[:2], self.heads, HEAD)
        return (rotate(a.norm_q(a.q(y)).view(split), cos, sin), rotate(a.norm_k(a.k(y)).view(split), cos, sin),
                a.v(y).view(split))

    def cross_kv(self, context):
        """context [R,L,dim] -> k, v [R,heads,L,128]; constant per prompt."""
        c = self.cross_attn
        return (c.norm_k(c.k(context)).unflatten(-1, (self.heads, HEAD)).transpose(1, 2),
                c.v(context).unflatten(-1, (self.heads, HEAD)).transpose(1, 2))

    def after_attention(self, x, attended, m, ck, cv):
        """attended [R,S,dim]: result of self-attention before its output projection."""
        x = x + self.self_attn.o(attended) * m[:, 2:3]
        c = self.cross_attn
        q = c.norm_q(c.q(self.norm3(x))).unflatten(-1, (self.heads, HEAD)).transpose(1, 2)
        x = x + c.o(F.scaled_dot_product_attention(q, ck, cv).transpose(1, 2).flatten(2))
        y = F.layer_norm(x, (self.dim,), eps=1e-6) * (1 + m[:, 4:5]) + m[:, 3:4]
        return x + self.ffn(y) * m[:, 5:6]


class Head(nn.Module):
    def __init__(self, dim, outputs):
        super().__init__()
        self.head = nn.Linear(dim, outputs)
        self.modulation = nn.Parameter(torch.randn(1, 2, dim) / dim ** 0.5)


class CausalDiT(nn.Module):
    def __init__(self, dim=256, ffn=1024, layers=8, text_dim=128, text_len=32, channels=16):
        super().__init__()
        self.dim, self.channels, self.text_len = dim, channels, text_len
        self.patch_embedding = nn.Conv3d(channels, dim, (1, 2, 2), (1, 2, 2))
        self.text_embedding = nn.Sequential(nn.Linear(text_dim, dim), nn.GELU("tanh"), nn.Linear(dim, dim))
        self.time_embedding = nn.Sequential(nn.Linear(256, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.time_projection = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.blocks = nn.ModuleList(Block(dim, ffn) for _ in range(layers))
        self.head = Head(dim, channels * 4)
        for name, p in self.named_parameters():
            if name.endswith(".bias"):
                nn.init.zeros_(p)
            elif p.dim() >= 2 and not name.endswith("modulation"):
                nn.init.xavier_uniform_(p.view(p.shape[0], -1))
        nn.init.zeros_(self.head.head.weight)
        nn.init.zeros_(self.time_projection[1].weight)
        with torch.no_grad():  # the gates start as the usual residual scale 1/sqrt(2 * layers)
            for block in self.blocks:
                block.modulation[:, [2, 5]] = (2 * layers) ** -0.5

    def embed(self, x):
        """x [R,16,h,w] -> tokens [R,hw/4,dim]"""
        r, c, h, w = x.shape
        y = x.view(r, c, h // 2, 2, w // 2, 2).permute(0, 2, 4, 1, 3, 5).reshape(r, h * w // 4, c * 4)
        return F.linear(y, self.patch_embedding.weight.view(self.dim, -1), self.patch_embedding.bias)

    def times(self, t):
        """t [R] -> e [R,dim], e0 [R,6,dim]"""
        angle = t.double()[:, None] * 10000.0 ** (-torch.arange(128, device=t.device, dtype=torch.float64) / 128)
        e = self.time_embedding(torch.cat([angle.cos(), angle.sin()], -1).to(self.head.modulation.dtype))
        return e, self.time_projection(e).unflatten(-1, (6, self.dim))

    def unembed(self, x, e, h, w):
        """tokens -> flow [R,16,h,w]"""
        m = self.head.modulation + e[:, None]
        y = self.head.head(F.layer_norm(x, (self.dim,), eps=1e-6) * (1 + m[:, 1:2]) + m[:, 0:1])
        y = y.view(x.shape[0], h // 2, w // 2, 2, 2, self.channels)
        return y.permute(0, 5, 1, 3, 2, 4).reshape(x.shape[0], self.channels, h, w)

    def forward(self, x, t, context, index, block_fn=None):
        """x [B,F,16,h,w], t [B,F], context [B*F,L,text_dim], index [B,F] time index -> flow like x."""
        b, f, _, h, w = x.shape
        tokens = self.embed(x.flatten(0, 1))
        e, e0 = self.times(t.flatten())
        context = self.text_embedding(context)
        cos, sin = (a.to(tokens.dtype) for a in rotation_tables(index.flatten(), h // 2, w // 2))
        for block in self.blocks:
            tokens = (block_fn or parallel_block)(block, tokens, e0, context, cos, sin, f)
        return self.unembed(tokens, e, h, w).unflatten(0, (b, f))

    # ---- the streaming form
    def new_stream(self, tokens):
        """An empty ring for frames of `tokens` tokens."""
        p = self.head.modulation
        ring = lambda: [torch.zeros(1, SLOTS * tokens, self.dim // HEAD, HEAD, device=p.device, dtype=p.dtype)
                        for _ in self.blocks]
        return {"k": ring(), "v": ring(), "filled": 0, "tokens": tokens}

    def cross_cache(self, context):
        context = self.text_embedding(context)
        return [block.cross_kv(context) for block in self.blocks]

    def stream_step(self, ring, x, t, index, cross, slot):
        """x [F,16,h,w]: the frames of one chunk, written to the ring from `slot` on; index: time index of the first."""
        f, _, h, w = x.shape
        s = ring["tokens"]
        tokens = self.embed(x)
        e, e0 = self.times(torch.full((f,), float(t), device=x.device))
        cos, sin = (a.to(tokens.dtype) for a in rotation_tables(torch.arange(f, device=x.device) + index, h // 2, w // 2))
        filled = max(ring["filled"], slot + f)
        for i, block in enumerate(self.blocks):
            m = block.modulation + e0
            q, k, v = block.qkv(tokens, m, cos, sin)
            ring["k"][i][0, slot * s:(slot + f) * s] = k.flatten(0, 1)
            ring["v"][i][0, slot * s:(slot + f) * s] = v.flatten(0, 1)
            keys, values = (ring[n][i][:, :filled * s].transpose(1, 2) for n in ("k", "v"))
            a = F.scaled_dot_product_attention(q.flatten(0, 1)[None].transpose(1, 2), keys, values)
            ck, cv = (c.expand(f, -1, -1, -1) for c in cross[i])
            tokens = block.after_attention(tokens, a.transpose(1, 2).reshape(f, s, -1), m, ck, cv)
        ring["filled"] = filled
        return self.unembed(tokens, e, h, w)


def parallel_block(block, x, e0, context, cos, sin, frames):
    """One block over B clips of `frames` frames; x [B*frames,S,dim]. Frame f sees what the ring would hold."""
    m = (block.modulation + e0).to(x.dtype)
    q, k, v = (y.unflatten(0, (-1, frames)) for y in block.qkv(x, m, cos, sin))  # [B,F,S,heads,128]
    attend = lambda a, b, c: F.scaled_dot_product_attention(
        a.flatten(1, 2).transpose(1, 2), b.flatten(1, 2).transpose(1, 2), c.flatten(1, 2).transpose(1, 2)).transpose(1, 2)
    out = [attend(q[:, :FIRST], k[:, :FIRST], v[:, :FIRST])]
    for f in range(FIRST, frames):
        newest = max(SINKS, f - (SLOTS - SINKS) + 1)
        if f < SLOTS:
            keys, values = k[:, :f + 1], v[:, :f + 1]
        else:
            keys, values = (torch.cat([y[:, :SINKS], y[:, newest:f + 1]], 1) for y in (k, v))
        out.append(attend(q[:, f:f + 1], keys, values))
    attended = torch.cat(out, 1).reshape(x.shape)
    ck, cv = block.cross_kv(context)
    return block.after_attention(x, attended.to(x.dtype), m, ck, cv)
