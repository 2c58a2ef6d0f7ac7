"""What a record leaves unsaid, found out before anything is called wrong.

    rows          a record laid out by steps, with how far what is written may lie from what was
    replay        a rule run along a record, from where the record says it was before each step
    fitting       what is not known, estimated by least squares
    attempts      which circumstances are tried, the plainest first
    asked         one rule asked of one record, and what all attempts need of it
    groups        knobs that each tensor has for itself
    rates         a rate over the steps
    schedules     the forms that a rate may follow
    beginnings    a record that begins in the middle of a run
    breaks        what happened to a run from some step on: its count, its state
    contradictions  what was done otherwise than is told: the rate at some steps, a knob in one tensor

It sees arrays, and no file, framework or process.
"""
