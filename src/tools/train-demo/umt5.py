# SPDX-License-Identifier: LGPL-2.1-or-later
"""UMT5 text encoder (relative positions in every layer, gated GELU, no attention scale). Names are Wan's keys."""
import torch
import torch.nn as nn
import torch.nn.functional as F


def position_bucket(distance):
    """T5's 32 bidirectional buckets, up to distance 128; distance = key position - query position."""
    sign = (distance > 0).long() * 16
    n = distance.abs()
    far = 7 + sum((n >= limit).long() for limit in (8, 12, 16, 23, 32, 46, 64, 91))
    return sign + torch.where(n < 8, n, far)


class Norm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(dim))

    def forward(self, x):
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        y = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-6)
        return y.to(x.dtype) * self.weight.to(x.dtype)


class Attention(nn.Module):
    def __init__(self, dim, heads, size):
        super().__init__()
        self.heads = heads
        self.q, self.k, self.v = (nn.Linear(dim, heads * size, bias=False) for _ in range(3))
        self.o = nn.Linear(heads * size, dim, bias=False)

    def forward(self, x, bias, mask):
        q, k, v = (p(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for p in (self.q, self.k, self.v))
        score = q @ k.transpose(-1, -2) + bias.to(q.dtype)
        score = score.to(torch.promote_types(score.dtype, torch.float32))
        weight = score.masked_fill(~mask[:, None, None, :], -1e9).softmax(-1).to(q.dtype)
        return self.o((weight @ v).transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    def __init__(self, dim, ffn):
        super().__init__()
        self.gate = nn.Sequential(nn.Linear(dim, ffn, bias=False), nn.GELU("tanh"))
        self.fc1 = nn.Linear(dim, ffn, bias=False)
        self.fc2 = nn.Linear(ffn, dim, bias=False)

    def forward(self, x):
        return self.fc2(self.fc1(x) * self.gate(x))


class RelativeBias(nn.Module):
    def __init__(self, heads):
        super().__init__()
        self.embedding = nn.Embedding(32, heads)


class Block(nn.Module):
    def __init__(self, dim, heads, size, ffn):
        super().__init__()
        self.norm1, self.attn, self.norm2 = Norm(dim), Attention(dim, heads, size), Norm(dim)
        self.ffn, self.pos_embedding = FeedForward(dim, ffn), RelativeBias(heads)

    def forward(self, x, mask, bucket):
        bias = self.pos_embedding.embedding(bucket).permute(2, 0, 1)[None]  # [1,heads,L,L]
        x = x + self.attn(self.norm1(x), bias, mask)
        return x + self.ffn(self.norm2(x))


class UMT5(nn.Module):
    def __init__(self, vocab=800, dim=128, heads=2, head_size=64, ffn=320, layers=2):
        super().__init__()
        self.token_embedding = nn.Embedding(vocab, dim)
        self.blocks = nn.ModuleList(Block(dim, heads, head_size, ffn) for _ in range(layers))
        self.norm = Norm(dim)
        for name, p in self.named_parameters():
            if name.endswith("attn.q.weight"):
                nn.init.normal_(p, std=(dim * head_size) ** -0.5)
            elif "embedding" in name:
                nn.init.normal_(p, std=1.0 if "token" in name else 0.1)
            elif p.dim() == 2:
                nn.init.normal_(p, std=p.shape[1] ** -0.5)

    def forward(self, ids, mask):
        """ids [B,L] padded with 0, mask [B,L] bool -> [B,L,dim] with zero rows at the padding."""
        place = torch.arange(ids.shape[1], device=ids.device)
        bucket = position_bucket(place[None, :] - place[:, None])
        x = self.token_embedding(ids)
        for block in self.blocks:
            x = block(x, mask, bucket)
        return self.norm(x) * mask[..., None]
