"""Finds what a person grades in a submission: cells of notebooks, texts and pictures, part by part; runs nothing.

finding      picks the cells that belong to each part that people grade, and keeps them within bounds
cells        reads notebooks, texts and pictures as cells
headings     tells which cells belong to a part: by tags, headings and first lines
pictures     makes pictures anew without anything but the picture
answers      holds what was found as plain data, and packs it for the gradebook
"""
