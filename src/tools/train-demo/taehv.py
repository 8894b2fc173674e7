# SPDX-License-Identifier: LGPL-2.1-or-later
"""TAEHV autoencoder at any widths. Parameter names are the original file's keys.

Pixels are RGB in 0..1; one latent frame stands for 4 frames at an eighth of the size.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

DECODER_WIDTHS = (96, 64, 24, 16)  # at 1/8, 1/4, 1/2 of the size and at full size
ENCODER_WIDTH = 16


def conv3(inputs, outputs, **options):
    return nn.Conv2d(inputs, outputs, 3, padding=1, **options)


class Clamp(nn.Module):
    def forward(self, x):
        return torch.tanh(x / 3) * 3


class MemBlock(nn.Module):
    """Residual block that also sees its own input one frame earlier (zeros at the start of the stream)."""

    def __init__(self, n):
        super().__init__()
        self.conv = nn.Sequential(conv3(2 * n, n), nn.ReLU(inplace=True), conv3(n, n), nn.ReLU(inplace=True),
                                  conv3(n, n))

    def forward(self, x, past):
        return F.relu(self.conv(torch.cat([x, past], 1)) + x)


class TPool(nn.Module):
    """Stacks `stride` consecutive frames on channels and mixes them."""

    def __init__(self, n, stride):
        super().__init__()
        self.stride = stride
        self.conv = nn.Conv2d(n * stride, n, 1, bias=False)

    def forward(self, x):
        return self.conv(x.reshape(x.shape[0] // self.stride, -1, *x.shape[2:]))


class TGrow(nn.Module):
    """One frame becomes `stride` frames (channel group g is frame g)."""

    def __init__(self, n, stride):
        super().__init__()
        self.conv = nn.Conv2d(n, n * stride, 1, bias=False)

    def forward(self, x):
        return self.conv(x).reshape(-1, x.shape[1], *x.shape[2:])


class TAEHV(nn.Module):
    def __init__(self, encoder=ENCODER_WIDTH, decoder=DECODER_WIDTHS, channels=16):
        super().__init__()
        w = encoder
        self.encoder = nn.Sequential(
            conv3(3, w), nn.ReLU(inplace=True),
            TPool(w, 2), conv3(w, w, stride=2, bias=False), MemBlock(w), MemBlock(w), MemBlock(w),
            TPool(w, 2), conv3(w, w, stride=2, bias=False), MemBlock(w), MemBlock(w), MemBlock(w),
            TPool(w, 1), conv3(w, w, stride=2, bias=False), MemBlock(w), MemBlock(w), MemBlock(w),
            conv3(w, channels))
        a, b, c, d = decoder
        self.decoder = nn.Sequential(
            Clamp(), conv3(channels, a), nn.ReLU(inplace=True),
            MemBlock(a), MemBlock(a), MemBlock(a), nn.Upsample(scale_factor=2), TGrow(a, 1), conv3(a, b, bias=False),
            MemBlock(b), MemBlock(b), MemBlock(b), nn.Upsample(scale_factor=2), TGrow(b, 2), conv3(b, c, bias=False),
            MemBlock(c), MemBlock(c), MemBlock(c), nn.Upsample(scale_factor=2), TGrow(c, 2), conv3(c, d, bias=False),
            nn.ReLU(inplace=True), conv3(d, 3))

    @staticmethod
    def _run(layers, x, state):
        """x [B,T,C,H,W]; state: the last input of every MemBlock (None at the start of a stream). Returns also the new state."""
        batch, new_state = x.shape[0], []
        x = x.flatten(0, 1)
        if x.is_cuda:
            x = x.contiguous(memory_format=torch.channels_last)
        layers = list(layers)
        i = 0
        while i < len(layers):
            layer = layers[i]
            if isinstance(layer, MemBlock):
                frames = x.unflatten(0, (batch, -1))
                first = torch.zeros_like(frames[:, :1]) if state is None else state[len(new_state)]
                new_state.append(frames[:, -1:])
                past = torch.cat([first, frames[:, :-1]], 1).flatten(0, 1)
                x = layer(x, past)
            elif isinstance(layer, nn.Upsample):
                # The 1x1 convolution before nearest upsampling gives the same result for a quarter of the work.
                i += 1
                x = F.interpolate(layers[i](x), scale_factor=2, mode="nearest")
            else:
                x = layer(x)
            i += 1
        return x.unflatten(0, (batch, -1)), new_state

    def encode(self, x, state=None):
        """[B,4n,3,H,W] -> latents [B,n,16,H/8,W/8] and state."""
        return self._run(self.encoder, x, state)

    def decode(self, z, state=None):
        """[B,n,16,h,w] -> frames [B,4n,3,8h,8w] before the clamp to 0..1, and state. Drop 3 frames at a stream's start."""
        return self._run(self.decoder, z, state)


def front_pad(frames):
    """[B,1+4n,...] -> [B,4+4n,...]: the first frame four times, so that latent i ends at frame 4i."""
    return torch.cat([frames[:, :1]] * 3 + [frames], 1)


@torch.no_grad()
def init_pass_through(net, gain=6.0):
    """Starts as a colour-true averager: channels 0..2 of every map carry RGB, MemBlocks are the identity, z = gain * (RGB - 1/2).

    Saves the thousands of steps that a default start needs to find colour.
    """
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            module.weight.mul_(0.7)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    for module in net.modules():
        if isinstance(module, MemBlock):
            module.conv[4].weight.zero_()
    device = net.encoder[0].weight.device
    tap = torch.tensor([1.0, 2.0, 1.0], device=device) / 4
    smooth = tap[:, None] * tap[None]
    centre = torch.zeros(3, 3, device=device)
    centre[1, 1] = 1

    def carry(conv, kernel, scale=1.0, bias=0.0):
        conv.weight[:3] = 0
        for c in range(3):
            conv.weight[c, c] = kernel * scale
            if conv.bias is not None:
                conv.bias[c] = bias

    enc, dec = net.encoder, net.decoder
    carry(enc[0], centre)
    for i in (2, 7, 12):
        weight, stride = enc[i].conv.weight, enc[i].stride
        weight[:3] = 0
        for c in range(3):
            for g in range(stride):
                weight[c, g * weight.shape[1] // stride + c] = 1.0 / stride
    for i in (3, 8, 13):
        carry(enc[i], smooth)
    carry(enc[17], centre, gain, -gain / 2)
    carry(dec[1], centre, 1 / gain, 0.5)
    for i in (7, 13, 19):
        weight = dec[i].conv.weight
        n = weight.shape[1]
        weight.mul_(0.3)
        for g in range(weight.shape[0] // n):
            weight[g * n:(g + 1) * n] += torch.eye(n, device=device).view(n, n, 1, 1)
            weight[g * n:g * n + 3] = 0
            for c in range(3):
                weight[g * n + c, c] = 1
    for i in (8, 14, 20):
        carry(dec[i], centre)
    dec[22].weight.mul_(0.05)
    carry(dec[22], centre)
