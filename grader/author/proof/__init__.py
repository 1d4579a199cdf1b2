"""Proves a week's checks right before students see them."""
