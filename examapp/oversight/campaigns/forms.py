"""Forms of campaigns: shape only."""

from __future__ import annotations

from wtforms import StringField, TextAreaField, ValidationError
from wtforms.validators import DataRequired, InputRequired, Length

from examapp.oversight.campaigns.actions import CampaignSettings
from examapp.web.forms import DateField, FlaskForm, IntegerField


def _tidy(text: str | None) -> str:
    return (text or "").strip()


class CampaignForm(FlaskForm):
    """A campaign with its days and laws."""

    version = IntegerField("版本", default=0)
    name = StringField(
        "名称",
        filters=[_tidy],
        validators=[DataRequired("请填写名称，如“民法典宣传月”。"), Length(max=60, message="最多 60 字。")],
    )
    starts_on = DateField("开始日期", validators=[InputRequired("请填写开始日期，如 2026-05-01。")])
    ends_on = DateField("结束日期", validators=[InputRequired("请填写结束日期，如 2026-05-31。")])
    laws = StringField("宣传的法律法规", filters=[_tidy], validators=[Length(max=300, message="最多 300 字。")])
    task = TextAreaField(
        "各单位的任务",
        filters=[_tidy],
        validators=[Length(max=2000, message="最多 2000 字。")],
        render_kw={"rows": 3},
    )

    def validate_ends_on(self, field: DateField) -> None:
        """Reject an end before the beginning."""
        if field.data and self.starts_on.data and field.data < self.starts_on.data:
            raise ValidationError("结束日期不能早于开始日期。")

    def settings(self) -> CampaignSettings:
        """Give the campaign as it was filled in."""
        return CampaignSettings(
            name=self.name.data,
            starts_on=self.starts_on.data,
            ends_on=self.ends_on.data,
            laws=self.laws.data,
            task=self.task.data,
        )


class CampaignNoteForm(FlaskForm):
    """What a unit says of a campaign."""

    note = TextAreaField(
        "情况说明",
        filters=[_tidy],
        validators=[Length(max=2000, message="最多 2000 字。")],
        render_kw={"rows": 4},
    )
