"""Plain scripts as subjects.

script         a script as a subject: one name is fed, one is read
finding        what of it may be fed and read, where nobody says so
ways           one way to do so, as data
flow           what goes from what to what in a turn of a loop
stepping       the loops that make steps, and what in them may be the gradient
rewriting      its text, changed so that both can be done and its numbers can be set
instrumenting  the same, where the loop that makes the steps is known
runner         the process in which it runs, again and again
execution      one run of it
no_plots       a matplotlib that draws nothing
no_writes      files that are written elsewhere
"""
