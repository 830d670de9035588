"""The messages of classifier, and the types."""

from jubatus.classifier import EstimateResult as EstimateResult
from jubatus.classifier import LabeledDatum as LabeledDatum
from jubatus.common.types import *  # noqa: F403
