"""Is an implementation right, and if not, which line is wrong. It sees a subject only: gradients in, parameters out.

subjects        the contract of a subject
probes          the designed streams it is driven with
oracle          what the rule gives, and how far an honest implementation may lie from it
dialects        documented other forms
edits           mistakes as small changes of the rule's tree
search          which edits make the rule do what the subject does
conformance     check, identify, compare
verdict         what they answer
"""
