"""The learner's pages."""

from examapp.training.routes.frame import blueprint
from examapp.training.routes.practice import list_mistakes

__all__ = ["blueprint", "list_mistakes"]
