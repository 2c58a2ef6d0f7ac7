"""A register machine in compiled code, for searches that are long: millions of pairs of edits in seconds.

instructions    operations, registers, code, observations, candidates
code            parts of rules as segments of code
views           observations as lanes, and views that do not show some part of a rule
running         candidates run on a few coordinates at a time
trying          candidates joined from two lists, on all processors
compiling       functions compiled, and kept from one process to the next
"""
