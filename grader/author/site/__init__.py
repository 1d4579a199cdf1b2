"""Makes the lessons' pages: a site that can be read from a folder, or put on a host as it is.

running     runs a notebook, and keeps going where a cell fails
markdown    turns the lessons' Markdown into HTML, with formulas, coloured code and headings that can be linked
notebook    turns a notebook with its outputs into HTML, with boxes for what is still to do
planning    says which pages a course has, from which files, and in which order
writing     writes pages, what they link to, and the index of the search
"""
