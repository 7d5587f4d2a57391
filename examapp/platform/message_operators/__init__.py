"""Adapters for operators of messages: signatures, rejections, SMS, WeCom and DingTalk."""
