"""Adapters for operators of messages: signatures, refusals, SMS, WeCom and DingTalk."""
