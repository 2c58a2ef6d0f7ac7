"""What is found out about a subject beside whether it follows its rule: it sees subjects only.

arithmetic      in which type it computes inside
losses          a knob that is zero in that type
ascent          whether it climbs, and means to
apart           in which of its tensors a mistake is
blanks          that it gives nothing but NaN
absence         what it does where a gradient is missing
endurance       whether it goes on as it began
lateness        the same of what computes in a small type
"""
