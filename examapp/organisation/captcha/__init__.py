"""The captcha of sign-in."""
