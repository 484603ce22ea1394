"""Every template of the pages compiles: a page nobody opened yet is no exception."""

import pytest
from jinja2 import Environment, PackageLoader

from limner.web import words

ENVIRONMENT = Environment(loader=PackageLoader("limner.web"), autoescape=True)
ENVIRONMENT.filters.update(words.FILTERS)


@pytest.mark.parametrize("name", ENVIRONMENT.list_templates())
def test_every_template_compiles(name: str) -> None:
    source, _, _ = PackageLoader("limner.web").get_source(ENVIRONMENT, name)
    assert "<<<<<<<" not in source
    ENVIRONMENT.get_template(name)
