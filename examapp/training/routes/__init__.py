"""The learner's pages."""

from examapp.training.routes.choosing import search_all
from examapp.training.routes.frame import blueprint
from examapp.training.routes.mastery import show_map
from examapp.training.routes.practice import list_mistakes
from examapp.training.routes.study import my_courses

__all__ = ["blueprint", "list_mistakes", "my_courses", "search_all", "show_map"]
