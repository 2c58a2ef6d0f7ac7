"""Plain scripts as subjects.

script      a script as a subject: one name is fed, one is read
rewriting   its text, changed so that both can be done and its numbers can be set
runner      the process in which it runs, again and again
no_plots    a matplotlib that draws nothing
"""
