"""Renders the templates of our Helm chart: the few actions they use, and an error for any other."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
CHART = ROOT / "deploy/helm/limner"
_ACTION = re.compile(r"(\s*)\{\{-(.*?)\}\}|\{\{(.*?)\}\}", re.DOTALL)


def rendered(**values: Any) -> list[dict[str, Any]]:
    """Every object the chart makes, with `values` over its own."""
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    data = {
        "Values": _merged(yaml.safe_load((CHART / "values.yaml").read_text()), values),
        "Release": {"Name": "shop"},
        "Chart": {"AppVersion": chart["appVersion"], "Name": chart["name"]},
    }
    helpers = dict(re.findall(r'define "(.+?)" -\}\}\n(.*?)\n\{\{- end \}\}', _text("_helpers.tpl"), re.DOTALL))
    return [
        each
        for path in sorted((CHART / "templates").glob("*.yaml"))
        for each in yaml.safe_load_all(Template(data, helpers).render(path.read_text()))
        if each
    ]


def notes() -> str:
    return Template({"Values": {"publicUrl": "https://x"}, "Release": {"Name": "shop"}}, {}).render(_text("NOTES.txt"))


class Template:
    def __init__(self, data: Mapping[str, Any], helpers: Mapping[str, str]) -> None:
        self._data = data
        self._helpers = helpers

    def render(self, text: str, **names: Any) -> str:
        return "".join(self._rendered(self._tokens(text), names))

    def _tokens(self, text: str) -> Iterator[tuple[str, str]]:
        """("text", …) and ("action", …); an action with a dash eats the white space before it."""
        last = 0
        for found in _ACTION.finditer(text):
            yield "text", text[last : found.start()]
            yield "action", (found[2] if found[2] is not None else found[3]).strip()
            last = found.end()
        yield "text", text[last:]

    def _rendered(
        self, tokens: Iterator[tuple[str, str]], names: Mapping[str, Any], *, on: bool = True
    ) -> Iterator[str]:
        for kind, content in tokens:
            if kind == "text":
                yield content if on else ""
            elif content == "end":
                return
            elif content.startswith("if "):
                inner = list(self._block(tokens))
                if self._value(content.removeprefix("if "), names):
                    yield from self._rendered(iter(inner), names)
            elif content.startswith("range "):
                inner = list(self._block(tokens))
                key, value, what = re.fullmatch(r"range (\$\w+), (\$\w+) := (.+)", content).groups()  # type: ignore[union-attr]
                for name, each in sorted(self._value(what, names).items()):
                    yield from self._rendered(iter(inner), {**names, key: name, value: each})
            else:
                yield str(self._value(content, names))

    def _block(self, tokens: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
        depth = 1
        for kind, content in tokens:
            if kind == "action":
                depth += content.startswith(("if ", "range ")) - (content == "end")
            if not depth:
                return
            yield kind, content
        raise AssertionError("a block without an end")

    def _value(self, pipeline: str, names: Mapping[str, Any]) -> Any:
        first, *rest = [part.strip() for part in pipeline.split("|")]
        value = self._term(first, names)
        for each in rest:
            name, *arguments = each.split()
            value = self._function(name, value, [self._term(argument, names) for argument in arguments])
        return value

    def _term(self, term: str, names: Mapping[str, Any]) -> Any:
        if found := re.fullmatch(r'include "(.+)" \.', term):
            return self.render(self._helpers[found[1]])
        if term.startswith("toYaml "):
            return yaml.safe_dump(self._term(term.removeprefix("toYaml "), names)).rstrip()
        if term.isdigit():
            return int(term)
        if term.startswith("$"):
            return names[term]
        value: Any = self._data
        for name in term.removeprefix(".").split("."):
            value = value[name]  # a KeyError: the template names what nobody set
        return value

    def _function(self, name: str, value: Any, arguments: list[Any]) -> Any:
        match name:
            case "quote":
                return '"' + str(value).replace('"', '\\"') + '"'
            case "default":
                return value or arguments[0]
            case "nindent":
                return "\n" + "\n".join(" " * arguments[0] + line for line in str(value).splitlines())
            case _:
                raise AssertionError(f"this renderer does not know {name}")


def _text(name: str) -> str:
    return (CHART / "templates" / name).read_text()


def _merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **base,
        **{
            name: _merged(base[name], value)
            if isinstance(value, Mapping) and isinstance(base.get(name), Mapping)
            else value
            for name, value in over.items()
        },
    }
