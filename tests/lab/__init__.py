"""A Kubernetes node in miniature, for the tests and for the quickstart."""

from .core import Lab, Settings
from .netns import LabError
from .pods import Pod
from .probe import DENIED, REACHED, Probe, ask

__all__ = ["Lab", "LabError", "Pod", "Probe", "Settings", "ask", "DENIED",
           "REACHED"]
