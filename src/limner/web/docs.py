"""The documentation: the pages of docs/, rendered, searched, and handed to agents as one text."""

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from markdown_it import MarkdownIt
from markdown_it.token import Token
from PIL import Image
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from limner.errors import NotFound
from limner.web.door import PageDoor
from limner.web.pages import Pages
from limner.web.visitors import Visitor

GROUPS: Mapping[str, Sequence[str]] = {
    "Tutorial": ("start", "team"),
    "How to": ("clients", "dashboard", "prompts", "provenance", "recipes/"),
    "Reference": (
        "mcp",
        "rest",
        "openai",
        "python",
        "commands",
        "providers",
        "operate/configuration",
        "errors",
        "glossary",
    ),
    "Operating": ("operate/",),
    "Explanation": ("money", "architecture", "performance"),
    "Decisions": ("decisions/",),
}
"""What kind of page each is, in reading order: by name, or by folder. A page nobody has placed is a how-to."""

UNPLACED = "How to"
MOST_HITS = 20
PITCH = (
    "> The image service for AI agents: make, edit, find and deliver pictures through one MCP URL, REST, or an "
    "OpenAI-compatible API. Pictures are charged only when they arrive."
)


@dataclass(frozen=True)
class Document:
    """One page: where it is served under /docs/, and its Markdown."""

    name: str
    text: str

    @cached_property
    def title(self) -> str:
        return next((line[2:].strip() for line in self.text.splitlines() if line.startswith("# ")), self.name)

    @property
    def folder(self) -> str:
        return self.name.rpartition("/")[0]

    @cached_property
    def place(self) -> tuple[str, int]:
        """Its group, and where in it."""
        for group, members in GROUPS.items():
            for index, member in enumerate(members):
                if self.name == member or (member.endswith("/") and self.name.startswith(member)):
                    return group, index
        return UNPLACED, len(GROUPS[UNPLACED])

    @cached_property
    def summary(self) -> str:
        """The first paragraph, plain."""
        paragraphs = (block.strip() for block in self.text.split("\n\n"))
        first = next((block for block in paragraphs if block and not block.startswith(("#", "|", "```", ">", "-"))), "")
        return re.sub(r"\s+", " ", re.sub(r"\[([^\]]+)\]\([^)]+\)", r"\1", first)).replace("`", "")


@dataclass(frozen=True, slots=True)
class Hit:
    document: Document
    heading: str
    anchor: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture or chart that pages show."""

    data: bytes
    media_type: str
    width: int
    height: int


class Library:
    """Every page, in reading order, and their pictures by address; loaded once."""

    def __init__(self, documents: Sequence[Document], pictures: Mapping[str, Picture]) -> None:
        self.pictures = pictures
        self.documents = sorted(documents, key=_order)
        self._by_name = {document.name: document for document in self.documents}
        self._html: dict[str, str] = {}
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
        self._markdown.add_render_rule("table_open", _open_table)
        self._markdown.add_render_rule("table_close", _close_table)

    @classmethod
    def load(cls) -> "Library":
        """From the package, or from a clone's docs/."""
        folder = resources.files("limner") / "docs_pages"
        if not folder.is_dir():
            folder = Path(__file__).parents[3] / "docs"
        if not folder.is_dir():
            return cls([], {})
        return cls(_documents(folder), _pictures(folder))

    def get(self, name: str) -> Document | None:
        return self._by_name.get(name) or self._by_name.get(f"{name}/README".lstrip("/"))

    def html(self, document: Document) -> str:
        """Safe HTML: raw HTML in the Markdown is text, links to other pages lead to /docs."""
        if document.name not in self._html:
            tokens = self._markdown.parse(document.text)
            _prepare(tokens, document, self.pictures)
            self._html[document.name] = self._markdown.renderer.render(tokens, self._markdown.options, {})
        return self._html[document.name]

    def groups(self) -> list[tuple[str, list[Document]]]:
        return [(group, [document for document in self.documents if document.place[0] == group]) for group in GROUPS]

    def search(self, text: str) -> list[Hit]:
        """Sections with all the words, those that have them in a heading first."""
        words = [word for word in re.findall(r"\w+", text.lower()) if len(word) > 1][:8]
        if not words:
            return []
        found = [
            (sum(heading.lower().count(word) * 10 + body.lower().count(word) for word in words), hit)
            for document in self.documents
            for heading, anchor, body in _sections(document)
            if all(word in f"{heading} {body}".lower() for word in words)
            for hit in [Hit(document, heading, anchor, _excerpt(body, words[0]))]
        ]
        return [hit for _, hit in sorted(found, key=lambda pair: -pair[0])[:MOST_HITS]]


class Docs:
    def __init__(self, pages: Pages, library: Library, public_url: str) -> None:
        self._pages = pages
        self._library = library
        self._public_url = public_url

    def routes(self, door: PageDoor) -> list[Route]:
        return [
            door.public("/docs", self._index),
            door.public("/docs/{name:path}", self._page),
            door.public("/llms.txt", self._llms),
            door.public("/llms-full.txt", self._llms_full),
        ]

    async def _index(self, request: Request, visitor: Visitor) -> Response:
        text = request.query_params.get("q", "")[:200].strip()
        return self._pages.render(
            "docs_index.html",
            visitor,
            groups=self._library.groups(),
            q=text,
            hits=self._library.search(text),
        )

    async def _page(self, request: Request, visitor: Visitor) -> Response:
        if (picture := self._library.pictures.get(request.url.path)) is not None:
            return _answer_with(picture)
        name = request.path_params["name"].strip("/").removesuffix(".md")
        document = self._library.get(name)
        if document is None:
            raise NotFound("There is no such page in the documentation.")
        if request.path_params["name"].endswith(".md"):
            return PlainTextResponse(document.text, media_type="text/markdown")
        html = self._library.html(document)
        return self._pages.render(
            "docs_page.html", visitor, groups=self._library.groups(), document=document, html=html, q=""
        )

    async def _llms(self, request: Request, visitor: Visitor) -> Response:
        lines = [
            "# Limner",
            "",
            PITCH,
            "",
            f"MCP endpoint: {self._public_url}/api/mcp (Streamable HTTP, `Authorization: Bearer sk_…` or OAuth)",
        ]
        for title, documents in self._library.groups():
            lines += ["", f"## {title}", ""]
            lines += [f"- [{each.title}]({self._public_url}/docs/{each.name}.md): {each.summary}" for each in documents]
        return PlainTextResponse("\n".join(lines) + "\n")

    async def _llms_full(self, request: Request, visitor: Visitor) -> Response:
        parts = [document.text.strip() for document in self._library.documents if document.folder != "decisions"]
        return PlainTextResponse("\n\n---\n\n".join(parts) + "\n")


def _documents(folder: Traversable, prefix: str = "") -> list[Document]:
    """Without the comments in them, which are for our own tools."""
    found: list[Document] = []
    for each in folder.iterdir():
        if each.is_dir():
            found += _documents(each, f"{prefix}{each.name}/")
        elif each.name.endswith(".md"):
            text = re.sub(r"<!--.*?-->\n*", "", each.read_text(encoding="utf-8"), flags=re.DOTALL)
            found.append(Document(f"{prefix}{each.name.removesuffix('.md')}", text))
    return found


def _pictures(folder: Traversable, prefix: str = "/docs/") -> dict[str, Picture]:
    found: dict[str, Picture] = {}
    for each in folder.iterdir():
        if each.is_dir():
            found |= _pictures(each, f"{prefix}{each.name}/")
        elif each.name.endswith(".webp"):
            data = each.read_bytes()
            with Image.open(io.BytesIO(data)) as image:
                found[f"{prefix}{each.name}"] = Picture(data, "image/webp", image.width, image.height)
        elif each.name.endswith(".svg"):
            data = each.read_bytes()
            found[f"{prefix}{each.name}"] = Picture(data, "image/svg+xml", *_svg_size(data.decode()))
    return found


def _svg_size(svg: str) -> tuple[int, int]:
    box = re.search(r'viewBox="0 0 (\d+) (\d+)"', svg)
    if box is None:
        raise ValueError("a chart of the documentation does not say how large it is")
    return int(box[1]), int(box[2])


def _answer_with(picture: Picture) -> Response:
    headers = {"Cache-Control": "public, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return Response(picture.data, headers=headers, media_type=picture.media_type)


def _order(document: Document) -> tuple[int, int, bool, str]:
    """A folder's own page stands before the others in it."""
    group, index = document.place
    return list(GROUPS).index(group), index, not document.name.endswith("README"), document.name


def _prepare(tokens: list[Token], document: Document, pictures: Mapping[str, Picture]) -> None:
    """Headings get anchors, links to other pages lead to /docs, tables align by class (inline styles are forbidden)."""
    for index, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _anchor(tokens[index + 1].content))
        if "right" in str(token.attrs.pop("style", "")):
            token.attrSet("class", "right")
        if token.type == "th_open" and not tokens[index + 1].content:  # an empty header is no header
            token.tag = tokens[index + 2].tag = "td"
        if token.type == "fence":
            token.attrSet("tabindex", "0")
        for child in token.children or ():
            if child.type == "link_open":
                child.attrSet("href", _link(str(child.attrs.get("href", "")), document))
            if child.type == "image":
                _place(child, document, pictures)


def _open_table(*_: object) -> str:
    """A table wider than the page scrolls by itself, by keyboard too."""
    return '<div class="scroll" tabindex="0" role="group" aria-label="Table"><table>\n'


def _close_table(*_: object) -> str:
    return "</table></div>\n"


def _place(image: Token, document: Document, pictures: Mapping[str, Picture]) -> None:
    """A picture has its size before it is there, so that nothing moves."""
    source = _link(str(image.attrs["src"]), document)
    image.attrs |= {"src": source, "loading": "lazy", "decoding": "async"}
    if (picture := pictures.get(source)) is not None:
        image.attrs |= {"width": picture.width, "height": picture.height}


def _link(href: str, document: Document) -> str:
    if re.match(r"[a-z][a-z0-9+.-]*:|#|/", href):
        return href
    path, hash_mark, anchor = href.partition("#")
    folder = PurePosixPath("/docs") / document.folder
    parts: list[str] = []
    for part in (folder / path).parts[1:]:
        parts = parts[:-1] if part == ".." else [*parts, part]
    target = "/".join(parts).removesuffix(".md").removesuffix("/README")
    return f"/{target}{hash_mark}{anchor}"


def _anchor(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "section"


def _sections(document: Document) -> list[tuple[str, str, str]]:
    """(heading, anchor, text) of each part of a page."""
    sections: list[tuple[str, str, str]] = []
    heading, lines = document.title, list[str]()
    fenced = False
    for line in document.text.splitlines():
        fenced = fenced != line.startswith("```")
        if not fenced and (match := re.match(r"#{1,4} (.+)", line)):
            if sections or line != f"# {document.title}":
                sections.append((heading, _anchor(heading), "\n".join(lines)))
            heading, lines = match[1], []
        else:
            lines.append(line)
    return [*sections, (heading, _anchor(heading), "\n".join(lines))]


def _excerpt(body: str, word: str) -> str:
    """A few whole words around the first place of `word`, without Markdown's marks."""
    told = re.sub(r"(?m)^```.*$|^[|:\s-]+$|[`*|]|!?\[|\]\([^)]*\)", "", body)
    plain = re.sub(r"\s+", " ", told).strip()
    at = plain.lower().find(word)
    start = plain.rfind(" ", 0, at - 60) + 1 if at > 60 else 0
    shown = plain[start : start + 200]
    more = len(plain) > start + 200
    return f"{'… ' if start else ''}{shown.rpartition(' ')[0] if more else shown}{' …' if more else ''}"
