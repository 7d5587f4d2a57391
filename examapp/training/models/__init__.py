"""The training room's tables: courses and study, what a person remembers, and what practice may draw."""

from examapp.training.models.contents import ChapterArticle, ChapterFile, CourseEdition, CoursePerson
from examapp.training.models.courses import (
    Chapter,
    ChapterProgress,
    Course,
    CourseCompletion,
    CourseState,
    ExerciseRun,
    PracticeItem,
)
from examapp.training.models.memory import DueCount, HarvestedAttempt, ReviewCard, UnitMastery, UnitWeakness
from examapp.training.models.own import DailyQuestion, QuestionNote
from examapp.training.models.pool import PracticeHold, PracticeMark

__all__ = [
    "Chapter",
    "ChapterArticle",
    "ChapterFile",
    "ChapterProgress",
    "Course",
    "CourseCompletion",
    "CourseEdition",
    "CoursePerson",
    "CourseState",
    "DailyQuestion",
    "DueCount",
    "ExerciseRun",
    "HarvestedAttempt",
    "PracticeHold",
    "PracticeItem",
    "PracticeMark",
    "QuestionNote",
    "ReviewCard",
    "UnitMastery",
    "UnitWeakness",
]
