"""The command line: what was typed is read, handed to a verb, and the answer is printed. It computes nothing.

cli                             the door: the commands, how each ends, and with which exit code
check, trace, bench, demo       one command, or family of commands, a file
options                         what is typed behind options, understood
facts                           what is told of a rule, a stream or a trace, as plain data: what `--json` prints
pages, verdict_pages            the same for people, in tables and sentences
"""
