"""Reads submissions in a process of its own, which has so much time and memory for each and no more.

budget       asks such a process, and ends it where it takes too much
process      is that process: answers one request after the other
service      reads entries there: looks for weeks, collects files
plain        turns what is found into plain data and back, and trusts none of it
desk         reads entries by such a process
"""
