"""docs/runbooks.md as one HTML page, which Prometheus serves: where `runbook_url` of each alert leads.

`python deploy/runbooks.py [--check]`: write it anew, or end with 1 when it is not what the Markdown says.
"""

import argparse
import html
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "docs" / "runbooks.md"
PAGE = ROOT / "deploy" / "prometheus" / "pages" / "runbooks.html"
HEAD = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<!-- Made of docs/runbooks.md by deploy/runbooks.py. -->
<title>Segue: runbooks</title>
<style>
body { font: 16px/1.5 sans-serif; max-width: 48em; margin: 2em auto; padding: 0 1em; }
code { background: #eee; padding: 0 .2em; }
:target { background: #ffd; }
</style>
"""


def page(text: str) -> str:
    """HTML of headings and paragraphs; raises ValueError on what else Markdown has: the page needs no more."""
    blocks = [block for part in re.split(r"\n{2,}", text) for block in re.split(r"(?m)(?<=^)(#+ .+)\n", part)]
    names = set(re.findall(r"(?m)^### (\w+)$", text))
    return HEAD + "".join(_block(block.strip(), names) for block in blocks if block.strip())


def _block(text: str, names: set[str]) -> str:
    if found := re.fullmatch(r"(#+) (.+)", text):
        level, title = len(found[1]), found[2]
        section = f' id="{title.lower()}"' if title in names else ""
        return f"<h{level}{section}>{html.escape(title)}</h{level}>\n"
    if bad := re.search(r"(?m)^([-*|>]|\d+\.|```) ?.*", text):
        raise ValueError(f"neither a heading nor a paragraph: {bad[0]}")
    return f"<p>{_words(text, names)}</p>\n"


def _words(text: str, names: set[str]) -> str:
    """Code as code, alerts as links to their sections; other pages are not served, so their paths are spelled out."""

    def code(found: re.Match[str]) -> str:
        name = found[1]
        return f'<a href="#{name.lower()}">{name}</a>' if name in names else f"<code>{name}</code>"

    def link(found: re.Match[str]) -> str:
        path, _, section = found[2].partition("#")
        where = (SOURCE.parent / path).resolve().relative_to(ROOT).as_posix()
        return f"{found[1]} (<code>{where}{'#' if section else ''}{section}</code>)"

    escaped = html.escape(text, quote=False)
    return re.sub(r"`([^`]+)`", code, re.sub(r"\[([^\]]+)\]\(([^)]+)\)", link, escaped))


def main() -> None:
    """Write it, or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; end with 1 when it is out of date")
    made = page(SOURCE.read_text(encoding="utf-8"))
    if not parser.parse_args().check:
        PAGE.parent.mkdir(exist_ok=True)
        PAGE.write_text(made, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != made:
        sys.exit(f"{PAGE.relative_to(ROOT)} is not what docs/runbooks.md says: python deploy/runbooks.py")


if __name__ == "__main__":
    main()
