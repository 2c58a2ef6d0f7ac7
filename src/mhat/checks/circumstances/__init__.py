"""What a record leaves unsaid, found out before anything is called wrong.

    rows        a record laid out by steps, with how far what is written may lie from what was
    replay      a rule run along a record, from where the record says it was before each step
    fitting     what is not known, estimated by least squares
    schedules   a rate over the steps, recognised as a form
    attempts    which circumstances are tried, the plainest first
    breaks      what happened to a run from some step on: its count, its state

It sees arrays, and no file, framework or process.
"""
