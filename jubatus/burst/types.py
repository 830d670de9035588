"""The messages of burst, and the types."""

from jubatus.burst import Batch as Batch
from jubatus.burst import Document as Document
from jubatus.burst import KeywordWithParams as KeywordWithParams
from jubatus.burst import Window as Window
from jubatus.common.types import *  # noqa: F403
