# SPDX-License-Identifier: LGPL-2.1-or-later
"""safetensors and PNG files, written with numpy and zlib alone."""
import json
import os
import struct
import zlib

import numpy as np
import torch

_NAMES = {torch.float16: "F16", torch.float32: "F32"}
_TYPES = {"F16": np.float16, "F32": np.float32}


def write_safetensors(path, tensors, dtype=torch.float16):
    header, data, place = {}, [], 0
    for key, value in sorted(tensors.items()):
        raw = value.detach().to("cpu", dtype).contiguous().numpy().tobytes()
        header[key] = {"dtype": _NAMES[dtype], "shape": list(value.shape), "data_offsets": [place, place + len(raw)]}
        data.append(raw)
        place += len(raw)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path + ".part", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(data))
    os.replace(path + ".part", path)  # never a half-written checkpoint


def read_safetensors(path):
    """{key: float32 tensor}"""
    raw = open(path, "rb").read()
    size = struct.unpack("<Q", raw[:8])[0]
    out = {}
    for key, entry in json.loads(raw[8:8 + size]).items():
        if key != "__metadata__":
            a, b = (8 + size + o for o in entry["data_offsets"])
            array = np.frombuffer(raw[a:b], _TYPES[entry["dtype"]]).astype(np.float32)
            out[key] = torch.from_numpy(array).view(entry["shape"])
    return out


def write_parts(folder, tensors, limit=15_000_000):
    """fp16 files part_0.safetensors, part_1... of at most `limit` bytes."""
    parts, size = [{}], 0
    for key, value in tensors.items():
        if size + 2 * value.numel() > limit:
            parts.append({})
            size = 0
        parts[-1][key] = value
        size += 2 * value.numel()
    for i, part in enumerate(parts):
        write_safetensors(f"{folder}/part_{i}.safetensors", part)


def read_parts(folder):
    out, i = {}, 0
    while os.path.exists(f"{folder}/part_{i}.safetensors"):
        out.update(read_safetensors(f"{folder}/part_{i}.safetensors"))
        i += 1
    return out


def write_png(path, image):
    """image [3,H,W] in 0..1"""
    rgb = (image.clamp(0, 1) * 255 + 0.5).to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    rows = b"".join(b"\0" + row.tobytes() for row in rgb)
    chunk = lambda kind, data: struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    head = struct.pack(">IIBBBBB", rgb.shape[1], rgb.shape[0], 8, 2, 0, 0, 0)
    with open(path, "wb") as file:
        file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b""))
