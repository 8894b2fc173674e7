#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes html_entities.inc: the named character references of HTML5, and the upper-case spellings that ftfy adds to them.

Run it without arguments when the table has to be made again; the source of the names is Python's own html.entities.html5.
"""
import html
import html.entities
import pathlib


def literal(text):
    """A U"..." literal in ASCII. \\x takes all hexadecimal digits that follow, so a code point below U+00A0 closes the literal."""
    parts = []
    for c in text:
        if c.isascii() and c.isalnum():
            parts.append(c)
        elif ord(c) < 0xA0:
            parts.append(f"\\x{ord(c):02x}")
            if len(text) > 1:
                parts.append('" U"')
        else:
            parts.append(f"\\u{ord(c):04x}" if ord(c) < 0x10000 else f"\\U{ord(c):08x}")
    return 'U"' + "".join(parts) + '"'


def table(name, entities):
    # Ordered by bytes, for binary search.
    lines = [f"constexpr Entity {name}[] = {{"]
    line = "   "
    for key, text in sorted(entities.items()):
        item = f' {{"{key}", {literal(text)}}},'
        if len(line) + len(item) > 110:
            lines.append(line)
            line = "   "
        line += item
    return "\n".join(lines + [line, "};", ""])


def main():
    html5 = html.entities.html5
    upper = {}
    for name, text in html5.items():
        if name.endswith(";") and name == name.lower() and html.unescape("&" + name.upper()) == "&" + name.upper():
            upper[name.upper()] = text.upper()
    out = pathlib.Path(__file__).with_name("html_entities.inc")
    out.write_text(
        "// SPDX-License-Identifier: LGPL-2.1-or-later\n"
        "// Made by make_html_entities.py. Names without their '&', in the order of their bytes.\n"
        + table("kHtml5", html5)
        + "\n// Upper-case spellings of lower-case names, with the text in upper case; only ftfy knows these.\n"
        + table("kUpperCase", upper)
    )


main()
