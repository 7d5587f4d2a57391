"""The shape of what is filled in in the unit book."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, StringField
from wtforms.validators import InputRequired, Length

from examapp.unitbook.rules import LONGEST_REASON


class RemindForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """The button that reminds a group."""

    group = HiddenField(validators=[InputRequired()])


class CallForm(FlaskForm):  # type: ignore[misc]  # flask_wtf has no types
    """Why the numbers are taken out."""

    group = HiddenField(validators=[InputRequired()])
    reason = StringField("用途", validators=[InputRequired("请填写用途。"), Length(max=LONGEST_REASON)])
