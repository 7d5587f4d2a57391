"""Check a question bank: each question by itself, near-duplicates, and the measures of the whole bank."""

import csv
import itertools
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from question_bank.formats import examtext
from question_bank.gists import shape_and_numbers
from question_bank.guessing import GUESSED_KINDS, MODEL, MODEL_SWAPPED, guess_answers, share_of_absolute_terms
from question_bank.kinds.registry import KIND_NAMES, kind_of, parts_of
from question_bank.model import DIFFICULTY_NAMES, OPTION_LETTERS, Difficulty, Kind, Question

MIN_QUESTIONS = 3000
MIN_LAWS = 80
MIN_POOLS = {"行政执法资格": 600, "任前考试": 300}
"""How many questions each pool of its own has at least."""
_OTHER_KINDS = "案例题和填空题等"
SHARES = {"单选题": 45, "判断题": 30, "多选题": 20, _OTHER_KINDS: 5}
"""The mix of a real paper, per cent of the questions."""
DIFFICULTY_SHARES = {Difficulty.EASY: 35, Difficulty.MEDIUM: 45, Difficulty.HARD: 20}
"""Wanted per cent of the questions."""
SHARE_TOLERANCE = 5
MAX_SAME_KEY_COUNT = 70
"""Per cent of the multiple choices that have one number of right options at most."""
MAX_ABSOLUTE_DIFFERENCE = 10
"""Points by which the shares of right and wrong texts with an absolute word differ at most."""
MAX_GUESS = 10
"""Points by which a fixed rule that does not know the law beats chance at most."""
MAX_MODEL_GUESS = 10
"""The same for the bigram model, measured on the half of the questions that it did not learn from, whichever half that is."""
TOO_FEW_TO_MEASURE = 200
_SETTING = re.compile(r"^@(law|version|effective)\s+(\S+)", re.MULTILINE)
_VERDICTS = frozenset({"通过", "修改后通过"})
_READ_BY_AUTHOR = "命题者本人"
"""How the remark of a record begins whose second reader was the author."""
SIMILARITY_THRESHOLD = 0.8
"""Two texts whose character trigrams overlap (Jaccard) by this much are near-duplicates."""
_PROGRESS_EVERY = 500


def find_near_duplicates(
    texts: Sequence[str], *, threshold: float = SIMILARITY_THRESHOLD, note_progress: Callable[[int], None] | None = None
) -> Iterator[tuple[int, int, float]]:
    """Yield pairs of indexes (lower first) of texts that are alike by at least the threshold, with their similarity.

    Every pair is found: of texts ordered by rarity of their trigrams, two that are alike share one among their rarest few (prefix
    filtering: Chaudhuri, Ganti, Kaushik 2006).
    """
    grams = [_trigrams(text) for text in texts]
    counts = Counter(itertools.chain.from_iterable(grams))
    holders: dict[str, list[int]] = {}
    for index, mine in enumerate(grams):
        rarest = sorted(mine, key=lambda gram: (counts[gram], gram))
        prefix = rarest[: len(mine) - math.ceil(threshold * len(mine)) + 1]
        for other in sorted({other for gram in prefix for other in holders.get(gram, ())}):
            similarity = _jaccard(mine, grams[other], threshold)
            if similarity >= threshold:
                yield other, index, similarity
        for gram in prefix:
            holders.setdefault(gram, []).append(index)
        if note_progress is not None and index % _PROGRESS_EVERY == 0:
            note_progress(index)


def _jaccard(one: frozenset[str], other: frozenset[str], threshold: float) -> float:
    shorter, longer = sorted((len(one), len(other)))
    if shorter < threshold * longer:
        return 0.0
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared)


def similarity_of(one: str, other: str) -> float:
    """Return how alike two texts are: 0 for nothing in common, 1 for the same trigrams."""
    return _jaccard(_trigrams(one), _trigrams(other), 0.0)


def _trigrams(text: str) -> frozenset[str]:
    bare = "".join(text.split())
    return frozenset(bare[i : i + 3] for i in range(max(1, len(bare) - 2)))


def read_content(folder: Path) -> list[Question]:
    """Read the seed questions of a folder, in the order of file names; raises ValueError where one is not sound."""
    questions: list[Question] = []
    for path in sorted(folder.glob("*.txt")):
        reading = examtext.read(path.read_bytes(), name=path.name)
        if reading.rejected or reading.needing_review:
            raise ValueError(f"{path.name}: {reading.rejected or reading.needing_review}")
        questions += [item.question for item in reading.imported]
    return questions


def check_question(question: Question) -> Iterator[str]:
    """Yield what is wrong with one question by itself."""
    for part in parts_of(question):
        if not part.explanation:
            yield "没有解析"
        yield from kind_of(part.kind).iter_style_issues(part)
    if question.citation is None or not question.citation.article.startswith("第"):
        yield "没有条文"
    if question.difficulty is None:
        yield "没有难度"
    if not question.knowledge_points:
        yield "没有知识点"


def iter_true_judgements(questions: Iterable[Question]) -> Iterator[tuple[Question, Question]]:
    """Yield each question with each of its true/false parts whose statement is right."""
    for question in questions:
        yield from (
            (question, part) for part in parts_of(question) if part.kind is Kind.TRUE_FALSE and part.key == ("A",)
        )


def near_duplicates(questions: Sequence[Question]) -> Iterator[tuple[Question, Question]]:
    """Yield pairs of questions whose stems are nearly the same (SIMILARITY_THRESHOLD)."""
    for one, other, _ in find_near_duplicates([question.stem for question in questions]):
        yield questions[one], questions[other]


def give_aways(questions: Sequence[Question]) -> Iterator[str]:
    """Yield what would let a reader guess: the longest option right too often, letters or truth unevenly spread."""
    parts = [part for question in questions for part in parts_of(question)]
    singles = [part for part in parts if part.kind is Kind.SINGLE_CHOICE]
    longest = sum(1 for q in singles if _is_longest(q))
    if len(singles) >= 8 and longest > 0.25 * len(singles) + 2 * (0.1875 * len(singles)) ** 0.5:
        yield f"{len(singles)} 道单选题中有 {longest} 道正确选项唯一最长（应约为四分之一）"
    letters = Counter(q.key[0] for q in singles)
    expected = len(singles) / 4
    for letter in OPTION_LETTERS[:4]:
        if len(singles) >= 12 and abs(letters[letter] - expected) > 2.5 * (0.1875 * len(singles)) ** 0.5:
            yield f"单选题答案 {letter} 出现 {letters[letter]} 次，应约为 {expected:.0f} 次"
    truths = [part.key[0] for part in parts if part.kind is Kind.TRUE_FALSE]
    if len(truths) >= 8 and not 0.25 <= truths.count("A") / len(truths) <= 0.75:
        yield f"{len(truths)} 道判断题中有 {truths.count('A')} 道正确，应约一半"


def _is_longest(question: Question) -> bool:
    right = question.options[OPTION_LETTERS.index(question.key[0])]
    return all(len(option) < len(right) for option in question.options if option is not right)


def check_file(path: Path) -> Iterator[str]:
    """Yield every finding of one content file, each with the question's number."""
    reading = examtext.read(path.read_bytes(), name=path.name)
    for note in [*reading.rejected, *(d.note for d in reading.needing_review), *reading.remarks]:
        yield f"{note.where}：{note.reason}"
    questions = [item.question for item in reading.imported]
    for question in questions:
        yield from (f"{question.code}：{finding}" for finding in check_question(question))
    for code, count in Counter(q.code for q in questions).items():
        if count > 1:
            yield f"{code}：编号重复"
    for one, other in near_duplicates(questions):
        yield f"{other.code}：与 {one.code} 近似"
    yield from give_aways(questions)


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure: whether it is met, and the figures."""

    name: str
    is_good: bool
    text: str

    def __str__(self) -> str:
        """Return the line that the command prints."""
        return f"{'合格' if self.is_good else '不合格'}　{self.name}：{self.text}"


def measure_bank(folder: Path, *, today: date, laws: Path | None = None) -> Iterator[Measure]:
    """Yield every measure of the bank in a folder; `laws` is a folder of law texts with its STATUS.tsv, where there is one."""
    questions = read_content(folder)
    if len(questions) < TOO_FEW_TO_MEASURE:
        yield Measure("题量", True, f"只有 {len(questions)} 题，不评题型、难度等比例")
    else:
        yield from _mix(questions)
        yield from _keys(questions)
    twice = [f"{code}" for code, count in Counter(one.code for one in questions).items() if count > 1]
    yield Measure("编号不重复", not twice, _shown(twice, f"{len(questions)} 个编号"))
    pairs = [f"{one.code} 与 {other.code}" for one, other in near_duplicates(questions)]
    yield Measure("没有近似题", not pairs, _shown(pairs, f"{len(questions)} 题两两比较，没有近似的"))
    if (folder / "reviews").is_dir():
        yield _records(questions, folder / "reviews")
    days = [(name, said.get("effective") or said.get("version") or "没有写版本") for name, said in _settings(folder)]
    early = [f"{name}（{day}）" for name, day in days if day > today.isoformat()]
    yield Measure("法律已经施行", not early, _shown(early, f"截至 {today}，各文件所依据的版本都已施行"))
    if laws is not None and (laws / "STATUS.tsv").is_file():
        yield _newest(folder, laws / "STATUS.tsv")


def _mix(questions: Sequence[Question]) -> Iterator[Measure]:
    count = len(questions)
    yield Measure("题量", count >= MIN_QUESTIONS, f"{count} 题，应不少于 {MIN_QUESTIONS} 题")
    laws = {question.citation.law for question in questions if question.citation}
    yield Measure("法律", len(laws) >= MIN_LAWS, f"{len(laws)} 部，应不少于 {MIN_LAWS} 部")
    kinds = Counter(KIND_NAMES[question.kind] for question in questions)
    shares = {name: 100 * kinds[name] / count for name in SHARES}
    shares[_OTHER_KINDS] = 100 - sum(shares.values())
    is_near = all(abs(shares[name] - wanted) <= SHARE_TOLERANCE for name, wanted in SHARES.items())
    text = "，".join(f"{name} {shares[name]:.1f}%（应约 {wanted}%）" for name, wanted in SHARES.items())
    yield Measure("题型比例", is_near, text)
    hard = Counter(question.difficulty for question in questions)
    parts = {name: 100 * hard[each] / count for each, name in DIFFICULTY_NAMES.items()}
    wanted = {DIFFICULTY_NAMES[each]: share for each, share in DIFFICULTY_SHARES.items()}
    is_near = all(abs(parts[name] - share) <= SHARE_TOLERANCE for name, share in wanted.items())
    text = "，".join(f"{name} {parts[name]:.1f}%（应约 {share}%）" for name, share in wanted.items())
    yield Measure("三级难度", is_near, text)
    pools = Counter(tag for question in questions for tag in question.tags)
    text = "，".join(f"{name} {pools[name]} 题，应不少于 {minimum} 题" for name, minimum in MIN_POOLS.items())
    yield Measure("专门题组", all(pools[name] >= minimum for name, minimum in MIN_POOLS.items()), text)


def _keys(questions: Sequence[Question]) -> Iterator[Measure]:
    findings = list(give_aways(questions))
    parts = [part for question in questions for part in parts_of(question)]
    letters = Counter(part.key[0] for part in parts if part.kind is Kind.SINGLE_CHOICE)
    figures = "，".join(f"{letter} {letters[letter]}" for letter in sorted(letters))
    yield Measure("答案不可猜", not findings, _shown(findings, f"单选题答案 {figures}；正确选项不比其他选项更常最长"))
    several = [part for part in parts if part.kind is Kind.MULTIPLE_CHOICE]
    full = sum(len(part.key) == len(part.options) for part in several)
    text = f"{len(several)} 道多选题中没有错误选项的 {full} 道，应当没有"
    yield Measure("多选题有错误选项", not full, text)
    sizes = Counter(len(part.key) for part in several)
    text = "，".join(f"{size} 个 {count} 道" for size, count in sorted(sizes.items()))
    is_varied = max(sizes.values(), default=0) <= MAX_SAME_KEY_COUNT / 100 * len(several)
    yield Measure("多选题正确个数不固定", is_varied, f"{text}，同一个数应不超过 {MAX_SAME_KEY_COUNT}%")
    jumbled = [part.stem[:20] for part in parts if part.kind is Kind.SINGLE_CHOICE and not _are_numbers_in_order(part)]
    yield Measure("数字选项按大小排列", not jumbled, _shown(jumbled, "只有数字不同的选项都从小到大"))
    yield from _guesses(parts)


def _are_numbers_in_order(question: Question) -> bool:
    """Return whether options that differ by their numbers alone stand in rising order; true of all others."""
    read = [shape_and_numbers(option) for option in question.options]
    numbers = [each for _, each in read]
    return len({shape for shape, _ in read}) > 1 or numbers == sorted(numbers)


def _guesses(parts: Sequence[Question]) -> Iterator[Measure]:
    shares = {
        KIND_NAMES[kind]: [100 * share_of_absolute_terms(parts, kind, right=right) for right in (True, False)]
        for kind in GUESSED_KINDS
    }
    is_even = all(abs(right - wrong) <= MAX_ABSOLUTE_DIFFERENCE for right, wrong in shares.values())
    text = "，".join(f"{name}对的 {right:.1f}%、错的 {wrong:.1f}%" for name, (right, wrong) in shares.items())
    yield Measure("绝对化用语不露底", is_even, f"含这类词的{text}，相差应不超过 {MAX_ABSOLUTE_DIFFERENCE} 个百分点")
    guesses = sorted(guess_answers(parts), key=lambda one: one.excess)
    by_model = [guess for guess in guesses if guess.rule in {MODEL, MODEL_SWAPPED}]
    best_rules = {guess.kind: guess for guess in guesses if guess not in by_model}.values()
    for title, limit, shown in (
        ("按规则猜题", MAX_GUESS, best_rules),
        ("按字词模型猜题", MAX_MODEL_GUESS, by_model),
    ):
        text = "，".join(f"{KIND_NAMES[one.kind]}{one.rule} {one.excess:+.1f}" for one in shown)
        is_low = all(one.excess <= limit for one in shown)
        yield Measure(title, is_low, f"比瞎猜多得的百分点：{text or '题太少，不评'}，应不超过 {limit}")


def _records(questions: Sequence[Question], reviews: Path) -> Measure:
    """Return whether each question has a second reading on record, with its day and its verdict."""
    recorded = {
        row["编号"]: (row.get("说明") or "").startswith(_READ_BY_AUTHOR)
        for path in sorted(reviews.glob("*.tsv"))
        for row in csv.DictReader(path.read_text("utf-8-sig").splitlines(), delimiter="\t")
        if row.get("结论") in _VERDICTS and re.fullmatch(r"\d{4}-\d{2}-\d{2}", row.get("日期") or "")
    }
    missing = [str(one.code) for one in questions if one.code not in recorded]
    by_author = sum(recorded.get(str(one.code), False) for one in questions)
    own = f"，其中 {by_author} 题是命题者本人读第二遍，启用前应由另一人复核" if by_author else ""
    text = _shown(missing, f"{len(questions)} 题都有第二次阅读的日期和结论{own}", "没有记录：")
    return Measure("复核记录", not missing, text)


def _settings(folder: Path) -> Iterator[tuple[str, dict[str, str]]]:
    for path in sorted(folder.glob("*.txt")):
        yield path.name, dict(_SETTING.findall(path.read_text("utf-8-sig")))


def _newest(folder: Path, status: Path) -> Measure:
    """Return whether each file's version is the one that the table of laws holds to be in force."""
    rows = list(csv.DictReader(status.read_text("utf-8-sig").splitlines(), delimiter="\t"))
    column = next((name for name in (rows[0] if rows else {}) if name.startswith("in_force")), "")
    wrong = []
    for name, said in _settings(folder):
        own = [row for row in rows if row["law"] == said.get("law")]
        ended = any(row["version_in_file"] == said.get("version") and row[column].startswith("NO") for row in own)
        newer = (row for row in own if row["version_in_file"] > said.get("version", ""))
        later = any(not row[column].startswith("NO") for row in newer)
        if ended or later:
            wrong.append(f"{name}（{said.get('version')}）")
    return Measure("版本现行有效", not wrong, _shown(wrong, "与法律文本状态表核对，各文件都是现行版本"))


def _shown(found: Iterable[str], good: str, lead: str = "") -> str:
    listed = list(found)
    more = f" 等 {len(listed)} 处" if len(listed) > 5 else ""
    return f"{lead}{'；'.join(listed[:5])}{more}" if listed else good
