"""OPERATIONS.md as a page: where a graph leads whoever was woken by one of its alerts."""

import re
from itertools import pairwise
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from monitoring.page.rendering import STYLE

OPERATIONS = Path(__file__).parents[2] / "OPERATIONS.md"
ALERT = re.compile(r"`([A-Z]\w+)`")
TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Marquee: operations</title>
<style>{{ style }}</style>
</head>
<body>
<main>
{{ content }}</main>
</body>
</html>
"""


def operations_page(text: str) -> str:
    """The page of such Markdown.

    A heading's id is its words, in lower case, joined by hyphens; that of a row of alerts the name
    with which it begins.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = markdown.parse(text)
    for heading, words in pairwise(tokens):
        if heading.type == "heading_open":
            heading.attrSet("id", _anchor(words))
    for row, _cell, words in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if row.type == "tr_open" and (named := ALERT.fullmatch(words.content)):
            row.attrSet("id", named[1])
    content = markdown.renderer.render(tokens, markdown.options, {})
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    return environment.from_string(TEMPLATE).render(style=Markup(STYLE), content=Markup(content))  # noqa: S704 -- files of ours


def _anchor(words: Token) -> str:
    return re.sub(r"[^a-z0-9]+", "-", words.content.lower()).strip("-")
