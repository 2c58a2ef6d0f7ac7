"""Subjects in processes of their own.

process     a process with everything that it starts: what is said to it, what it says, and its end
pipes       what comes out of it
keeper      what stands between it and mhat, and leaves nothing running
frames      messages between the two: a line of JSON, and arrays
failures    errors of mhat as such messages
host        in the process: it finds what is named there, and runs it when asked to
guest       in mhat: a subject that lives in a host

Nothing that comes out of such a process is ever executed here: there is no pickle in it.
"""
