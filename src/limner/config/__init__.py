"""The settings of one server: the only place that reads the environment.

Every variable is `LIMNER_NAME`, or `LIMNER_NAME_FILE` with the path of a file that holds the value
(docs/operate/configuration.md lists them all). A wrong value raises `BadConfiguration` with one sentence.
"""

from limner.config.environment import BadConfiguration
from limner.config.places import default_data_dir
from limner.config.providers import ProviderAccess
from limner.config.settings import Config

__all__ = ["BadConfiguration", "Config", "ProviderAccess", "default_data_dir"]
