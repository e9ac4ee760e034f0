"""Renders pages of text in several fonts, sizes and colours, to measure how well they are read.

    python3 examples/ocr/pages.py FOLDER [COUNT]

Needs Pillow, and the fonts of Debian's fonts-dejavu-core and fonts-liberation (what is absent is left out; Pillow's own font is always there).
FOLDER gets page_01.png ... and truth.json: {"page_01.png": ["a line", ...], ...}, lines from top to bottom. The same pages each time.
Also sample.png, with lines that lean, stand and are upside down: examples/ocr/page.png is one.
"""
import glob
import json
import os
import random
import sys

from PIL import Image, ImageDraw, ImageFont

WORDS = """the quick brown fox jumps over a lazy dog while seven wizards brew bitter tea in old copper kettles
every morning trains leave from platform nine and return before night winter light falls on quiet harbour streets
engine measures pressure voltage current speed memory kernel vector matrix model answer question system network
garden river mountain bridge village market library museum theatre station airport hospital university company
yellow purple orange silver golden bright heavy gentle narrow broad simple clever honest modern ancient famous
people water music paper table window letter number picture message reader writer driver teacher doctor farmer""".split()
FONTS = ["DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSansMono", "LiberationSans-Regular", "LiberationSans-Bold",
         "LiberationSerif-Regular", "LiberationSerif-Italic", "LiberationMono-Regular"]
# text, background
COLOURS = [("#101010", "#ffffff"), ("#10104a", "#fffff0"), ("#f0f0f0", "#202830"), ("#7a1010", "#fdf5e6"), ("#0a4d20", "#e8f5e9"),
           ("#ffe080", "#303060"), ("#333333", "#d8d8d8"), ("#004488", "#ddeeff")]


def font_files():
    found = []
    for name in FONTS:
        found += glob.glob("/usr/share/fonts/**/" + name + ".ttf", recursive=True)[:1]
    return found


def sentence(rng):
    kind = rng.random()
    words = [rng.choice(WORDS) for _ in range(rng.randint(3, 6))]
    if kind < 0.6:
        return " ".join(words).capitalize() + rng.choice([".", ".", ",", "!", "?"])
    if kind < 0.7:
        return "%s: $%d.%02d" % (words[0].capitalize(), rng.randint(1, 999), rng.randint(0, 99))
    if kind < 0.8:
        return "%s %d, %d" % (rng.choice(["March", "June", "August", "October"]), rng.randint(1, 28), rng.randint(1950, 2030))
    if kind < 0.9:
        return "%s %s %d%%" % (words[0].upper(), words[1].upper(), rng.randint(2, 99))
    return "%s-%s no. %d" % (words[0], words[1], rng.randint(100, 99999))


def render(rng, files):
    text, background = rng.choice(COLOURS)
    width, height = rng.choice([(800, 600), (1000, 700), (900, 1100)])
    page = Image.new("RGB", (width, height), background)
    draw = ImageDraw.Draw(page)
    size, lines, y = rng.choice([18, 22, 26, 32, 40]), [], 30
    name = rng.choice(files + [None])
    while True:
        font = ImageFont.truetype(name, size) if name else ImageFont.load_default(size)
        line = sentence(rng)
        while draw.textlength(line, font=font) > width - 70:
            line = line.rsplit(" ", 1)[0] if " " in line else line[:-2]
        box = draw.textbbox((0, 0), line, font=font)
        if y + size * 1.4 > height - 20:
            return page, lines
        draw.text((35 + rng.randint(0, 20), y), line, font=font, fill=text)
        lines.append(line)
        y += int(max(size, box[3]) * rng.uniform(1.35, 1.9))


def sample():
    regular, bold = (ImageFont.truetype(next(f for f in font_files() if n in f), s) for n, s in (("DejaVuSans.", 26), ("DejaVuSerif-Bold.", 34)))
    page = Image.new("RGB", (720, 420), "#fbf7ee")
    draw = ImageDraw.Draw(page)
    draw.text((30, 24), "Corner Cafe", font=bold, fill="#702010")
    for i, (name, price) in enumerate([("Espresso", "2.40"), ("Apple pie", "3.95"), ("Total", "6.35")]):
        draw.text((30, 100 + 48 * i), name, font=regular, fill="#202030")
        draw.text((270, 100 + 48 * i), price, font=regular, fill="#202030")

    def turned(text, angle, place, fill):
        label = Image.new("RGBA", (int(draw.textlength(text, font=regular)) + 12, 44), (0, 0, 0, 0))
        ImageDraw.Draw(label).text((6, 6), text, font=regular, fill=fill)
        label = label.rotate(angle, expand=True, resample=Image.BICUBIC)
        page.paste(label, place, label)

    turned("Thank you, come again!", 9, (290, 20), "#205020")
    turned("served upside down", 180, (60, 330), "#303070")
    turned("table 17", 90, (620, 180), "#a02020")
    return page.quantize(32)


def main():
    folder, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 20
    os.makedirs(folder, exist_ok=True)
    rng, files, truth = random.Random(2026), font_files(), {}
    for i in range(1, count + 1):
        page, lines = render(rng, files)
        name = "page_%02d.png" % i
        page.save(os.path.join(folder, name))
        truth[name] = lines
    sample().save(os.path.join(folder, "sample.png"))
    with open(os.path.join(folder, "truth.json"), "w") as file:
        json.dump(truth, file, indent=1)
    print("%d pages, %d lines, %d characters in %s" % (count, sum(map(len, truth.values())), sum(len(s) for v in truth.values() for s in v), folder))


if __name__ == "__main__":
    main()
