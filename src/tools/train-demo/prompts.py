# SPDX-License-Identifier: LGPL-2.1-or-later
"""Wordings of every style, and random prompts made from them. The prompt alone decides the style."""

WORDS = {
    "identity": ["original video", "the original video", "unchanged", "no change", "no style", "natural", "realistic",
                 "a realistic video", "real camera footage", "plain video", "identity", "as it is", "keep it as it is",
                 "do not change anything", "photo", "photorealistic", "normal colours", "raw footage"],
    "sketch": ["pencil sketch", "a pencil drawing", "pencil", "sketch", "graphite drawing", "hand drawn sketch",
               "black pencil on white paper", "charcoal drawing", "line drawing", "drawn with a pencil",
               "sketchbook page", "pencil art", "pencil hatching on paper"],
    "cartoon": ["cartoon", "a cartoon", "comic", "comic book", "anime", "anime style", "cel shaded", "ink cartoon",
                "cartoon with black outlines", "animated film", "manga in colour", "flat colours and ink lines",
                "comic style", "toon", "ink cartoon with flat colours"],
    "watercolour": ["watercolour", "watercolor", "a watercolour painting", "watercolor painting", "aquarelle",
                    "soft watercolour on paper", "watercolor wash", "pastel watercolour",
                    "painted with watercolours", "wet paint on paper"],
    "blueprint": ["blueprint", "a blueprint", "technical drawing", "blue technical plan", "white lines on blue paper",
                  "architect plan", "engineering drawing", "construction plan", "cyanotype plan", "schematic"],
    "neon": ["neon", "neon lights", "neon edges at night", "glowing neon lines", "cyberpunk", "cyberpunk neon",
             "synthwave", "tron style", "glowing outlines in the dark", "neon sign", "night city neon", "laser lines"],
    "noir": ["black and white film", "black and white", "film noir", "noir", "monochrome", "grayscale",
             "greyscale movie", "classic black and white movie", "silent film", "high contrast monochrome", "b&w"],
    "sepia": ["sepia", "old photograph", "vintage photo", "vintage", "an old faded photo", "sepia toned film",
              "antique photograph", "from the year 1900", "retro brown photo", "old western photo"],
    "thermal": ["thermal camera", "thermal", "infrared", "heat map", "infrared camera", "thermal vision",
                "heat vision", "thermal imaging", "predator vision", "temperature map"],
    "popart": ["pop art", "pop-art poster", "screen print", "poster in four colours", "pop art print", "halftone dots",
               "silkscreen poster", "bold flat poster", "halftone pop art", "risograph print"],
}

TEMPLATES = [
    "{s}", "{s}", "{s} style", "in the style of {s}", "{n}, {s}", "{n} as {s}", "{s} of {n}", "{s}, {n}",
    "a video in {s} style", "{n} in {s} style", "turn this into {s}", "make it {s}", "make it look like {s}",
    "{s}, high quality", "beautiful {s}, highly detailed", "{n}, {s}, masterpiece, best quality",
    "{s}, 4k, detailed", "a scene of {n}, {s}", "restyle the video as {s}", "{n} {a}, {s}", "{s} showing {n} {a}",
    "{n} {a}, in the style of {s}", "please render {n} as {s}", "transform {n} into {s}"]

# Prompts without a style word mean: leave the picture as it is.
PLAIN = ["", "", "{n}", "{n} {a}", "a video of {n}", "a photo of {n} {a}", "{n}, high quality", "a scene of {n}",
         "{n}, masterpiece, best quality", "a realistic video of {n} {a}", "best quality, 4k, detailed", "a video"]

NOUNS = ["a person", "a man", "a woman", "a girl", "a boy", "a child", "people", "a face", "a portrait", "a street",
         "cars", "a car", "traffic", "a city", "a house", "a room", "an office", "a desk", "a table", "a bottle",
         "a cup of coffee", "flowers", "a flower", "trees", "a forest", "mountains", "a lake", "the sea", "a beach",
         "the sky", "a dog", "a cat", "a bird", "animals", "food", "fruit", "a building", "a bridge", "a field",
         "grass", "a road", "a train", "a boat", "a garden", "hands", "someone", "a dancer", "a teacher", "a student",
         "a crowd", "my face", "me", "the scene", "a landscape", "a robot", "a window", "a computer", "a book",
         "clouds", "rocks"]

ACTIONS = ["walking", "talking", "waving", "dancing", "standing", "sitting", "moving", "looking at the camera",
           "driving", "in a room", "outdoors", "at night", "in the morning", "in front of a wall", "in the rain",
           "smiling"]

# The prompts that sample sheets and measurements use.
EVAL = {
    "identity": "the original video", "sketch": "a pencil sketch of a person",
    "cartoon": "a cartoon with black outlines", "watercolour": "watercolour painting",
    "blueprint": "a technical blueprint", "neon": "cyberpunk neon lights at night", "noir": "black and white film noir",
    "sepia": "an old sepia photograph", "thermal": "thermal camera", "popart": "a pop art poster"}


def random_prompt(style, rng):
    """One prompt that asks for `style`; rng: random.Random."""
    if style == "identity" and rng.random() < 0.35:
        text = rng.choice(PLAIN)
    else:
        text = rng.choice(TEMPLATES).replace("{s}", rng.choice(WORDS[style]))
    text = text.replace("{n}", rng.choice(NOUNS)).replace("{a}", rng.choice(ACTIONS))
    draw = rng.random()
    if draw < 0.2:
        text = text.capitalize()
    elif draw < 0.25:
        text = text.upper()
    elif draw < 0.3:
        text = text.title()
    if text and rng.random() < 0.1:
        text += "."
    return text
