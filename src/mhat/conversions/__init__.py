"""The same training in another framework: knobs translated, or what cannot be the same, and by how much.

    entries         what a framework offers: optimizers, their knobs, and the form of the rule that each writes
    edits           ways to write a rule otherwise that several frameworks share
    frameworks      a file of plain data for each framework
    catalogue       the frameworks, and which rule is where
    chosen          which optimizer is meant, with which knobs
    pseudo_code     a form with its knobs as a rule; a rule whose knobs are expressions of others
    matching        which optimizer does the same, with which knobs
    nearest         where none does: which knob it is, and which constant comes nearest
    runs            rules beside each other on named streams: the same on 50 digits, or how far apart
    real            the real optimizers, where they are installed
    measuring       how far both come apart
    conditions      on what they are the same, as claims
    lines           what is to be pasted
    conversion      the answer, which shows itself
    door            from what is asked to the answer

It knows no framework but by its table and as a subject, and it judges no implementation.
"""

from mhat.conversions.catalogue import FRAMEWORKS, Offer, find_framework, offers
from mhat.conversions.conversion import Conversion, as_dict
from mhat.conversions.door import convert

__all__ = ["FRAMEWORKS", "Conversion", "Offer", "as_dict", "convert", "find_framework", "offers"]
