"""Captcha."""
