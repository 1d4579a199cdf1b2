"""Gives each submission a control group of its own, where one can be had."""
