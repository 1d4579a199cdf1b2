"""Loads what students import: their sources, libraries that are missing, and what a desktop alone has."""
