"""Campaigns (专项宣传): a period, laws, units, and what each unit did in it."""
