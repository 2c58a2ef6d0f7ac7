"""Is a scheduler right: steps in, rates out; which schedule is it, and if it should be another, where do they part.

judging     the question, driven and answered
fits        rates recognised as a schedule with its knobs
slips       what goes wrong with schedulers, each as a sentence
verdict     the answer, which shows itself
"""
