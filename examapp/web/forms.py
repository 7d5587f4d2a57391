"""What all forms are made of: WTForms with Chinese words for every rejection, and fields whose numbers and days have bounds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

import flask_wtf
import wtforms
from flask import request
from flask_wtf.form import _Auto, _is_submitted
from werkzeug.datastructures import CombinedMultiDict, MultiDict

from examapp.web.params import read_whole

_CHOOSE = "请从给出的选项里选择。"
_DAY = "请填写正确的日期，如 2026-11-24。"
_INSTANT = "请填写正确的日期和时间。"
_NUMBER = "请填写数字。"
MESSAGES = {
    "'%(value)s' are not valid choices for this field.": _CHOOSE,
    "'%(value)s' is not a valid choice for this field.": _CHOOSE,
    "Invalid field name '%s'.": "表单不完整，请刷新页面后重试。",
    "Invalid value, can't be any of: %(values)s.": "这个值不能用，请换一个。",
    "CSRF failed.": "页面已过期，请刷新后重试。",
    "CSRF token expired.": "页面已过期，请刷新后重试。",
    "CSRF token missing.": "页面已过期，请刷新后重试。",
    "Invalid CSRF Token.": "页面已过期，请刷新后重试。",
    "Choices cannot be None.": _CHOOSE,
    "Date must be at least %(min)s.": "日期不能早于 %(min)s。",
    "Date must be at most %(max)s.": "日期不能晚于 %(max)s。",
    "Date must be between %(min)s and %(max)s.": "日期应在 %(min)s 到 %(max)s 之间。",
    "Field cannot be longer than %(max)d character.": "最多 %(max)d 个字。",
    "Field cannot be longer than %(max)d characters.": "最多 %(max)d 个字。",
    "Field must be at least %(min)d character long.": "至少 %(min)d 个字。",
    "Field must be at least %(min)d characters long.": "至少 %(min)d 个字。",
    "Field must be between %(min)d and %(max)d characters long.": "应为 %(min)d 至 %(max)d 个字。",
    "Field must be exactly %(max)d character long.": "应为 %(max)d 个字。",
    "Field must be exactly %(max)d characters long.": "应为 %(max)d 个字。",
    "Field must be equal to %(other_name)s.": "两次填写的不一样，请核对。",
    "File does not have an approved extension.": "不能上传这种文件，请换一种格式。",
    "File does not have an approved extension: {extensions}": "不能上传这种文件，可以上传：{extensions}。",
    "Invalid IP address.": "请填写正确的 IP 地址。",
    "Invalid Mac address.": "请填写正确的 MAC 地址。",
    "Invalid URL.": "请填写正确的网址。",
    "Invalid UUID.": "编号不对，请核对。",
    "Invalid Choice: could not coerce.": _CHOOSE,
    "Invalid choice(s): one or more data inputs could not be coerced.": _CHOOSE,
    "Invalid email address.": "请填写正确的邮箱地址。",
    "Invalid input.": "格式不对，请核对后重填。",
    "Invalid value, must be one of: %(values)s.": "只能填写：%(values)s。",
    "Not a valid choice.": _CHOOSE,
    "Not a valid date value.": _DAY,
    "Not a valid datetime value.": _INSTANT,
    "Not a valid decimal value.": _NUMBER,
    "Not a valid float value.": _NUMBER,
    "Not a valid integer value.": "请填写整数。",
    "Not a valid time value.": "请填写正确的时间，如 09:30。",
    "Not a valid week value.": "请填写正确的周次。",
    "Number must be at least %(min)s.": "不能小于 %(min)s。",
    "Number must be at most %(max)s.": "不能大于 %(max)s。",
    "Number must be between %(min)s and %(max)s.": "应在 %(min)s 到 %(max)s 之间。",
    "This field cannot be edited.": "这一项不能修改，请刷新页面后重试。",
    "This field is disabled and cannot have a value.": "这一项不能填写，请刷新页面后重试。",
    "This field is required.": "请填写这一项。",
}
"""Every sentence that WTForms and Flask-WTF say by themselves; a test holds that none is missing."""
_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_WIDE = str.maketrans("０１２３４５６７８９．－＋", "0123456789.-+")
_PLAIN_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(?:\.[0-9]{0,9})?", re.ASCII)


class _Chinese:
    """Gives WTForms' sentences in Chinese."""

    def gettext(self, text: str) -> str:
        return MESSAGES.get(text, "填写的内容不对，请核对后重填。")

    def ngettext(self, one: str, many: str, number: int) -> str:
        return self.gettext(one if number == 1 else many)


_CHINESE = _Chinese()


class FlaskForm(flask_wtf.FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """A form with a token."""

    problem = ""
    """Why what was sent was rejected, where that concerns no single field."""

    @property
    def is_rejected(self) -> bool:
        """Whether a field has an error, or the act behind the form was rejected."""
        return bool(self.errors or self.problem)

    def reject(self, text: str, field: str = "", *, otherwise: str = "") -> None:
        """Say why the act was rejected: beside the named field where the form has it, else beside the other one, else for the whole form."""
        name = next((name for name in (field, otherwise) if name in self), None)
        if name is None:
            self.problem = text
        else:
            self[name].errors = [*self[name].errors, text]

    class Meta(flask_wtf.FlaskForm.Meta):  # type: ignore[misc]  # as above
        """Its words, and what is read as its fields."""

        def get_translations(self, _form: object) -> _Chinese:
            """Give the sentences in Chinese."""
            return _CHINESE

        def wrap_formdata(self, form: Any, formdata: Any) -> Any:
            """Give what was sent; a file only to a field for files, where a field for words would fall over it."""
            if formdata is not _Auto or not request.files:
                return request.form if formdata is _Auto and _is_submitted() else super().wrap_formdata(form, formdata)
            files = [
                (name, file)
                for name, file in request.files.items(multi=True)
                if isinstance(form._fields.get(name), wtforms.FileField)
            ]
            return CombinedMultiDict((MultiDict(files), request.form))


class Form(wtforms.Form):  # type: ignore[misc]  # wtforms has no types
    """A part of a form, without a token of its own."""

    class Meta:
        """Its words."""

        def get_translations(self, _form: object) -> _Chinese:
            """Give the sentences in Chinese."""
            return _CHINESE


class RowList(wtforms.FieldList):  # type: ignore[misc]  # wtforms has no types
    """A list of rows that passes over field names whose number is none (`sections-²-title`), where WTForms would fall over."""

    def _extract_indices(self, prefix: str, formdata: Iterable[str]) -> Iterator[int]:
        for name in formdata:
            index = read_whole(name.removeprefix(f"{prefix}-").split("-", 1)[0], limit=999_999)
            if name.startswith(f"{prefix}-") and index is not None:
                yield index


def _plain(wording: object) -> str:
    """Give a number as plain digits, also where it was typed in wide ones; raises ValueError for what is none or has very many."""
    text = str(wording)[:40].translate(_WIDE).strip()
    if not _PLAIN_NUMBER.fullmatch(text):
        raise ValueError(wording)
    return text


class IntegerField(wtforms.IntegerField):  # type: ignore[misc]  # wtforms has no types
    """A whole number of at most 15 digits."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed; raises ValueError with the field's sentence."""
        if valuelist and str(valuelist[0]).strip():
            try:
                super().process_formdata([_plain(valuelist[0])])
            except ValueError:
                self.data = None
                raise ValueError(self.gettext("Not a valid integer value.")) from None


class DecimalField(wtforms.DecimalField):  # type: ignore[misc]  # wtforms has no types
    """A number in plain digits: no exponent, no NaN, no infinity."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Read what was typed; raises ValueError with the field's sentence."""
        if valuelist and str(valuelist[0]).strip():
            try:
                super().process_formdata([_plain(valuelist[0])])
            except ValueError:
                self.data = None
                raise ValueError(self.gettext("Not a valid decimal value.")) from None


class _Bounded:
    """A day or an instant of a year that the program can reckon with."""

    data: Any

    def process_formdata(self, valuelist: list[Any]) -> None:
        super().process_formdata(valuelist)  # type: ignore[misc]  # of the field beside
        if self.data is not None and not _FIRST_YEAR <= self.data.year <= _LAST_YEAR:
            self.data = None
            raise ValueError("年份不对，请检查。")


class DateField(_Bounded, wtforms.DateField):  # type: ignore[misc]  # wtforms has no types
    """A day."""


class DateTimeLocalField(_Bounded, wtforms.DateTimeLocalField):  # type: ignore[misc]  # wtforms has no types
    """A day and a time of the county."""
