"""What was changed in a rule, from the rule that was read of a subject: two trees held against each other.

diagnosis       by_reading, nearest_by_reading: a subject is read, and the answers have their lines
side_by_side    two subjects, each read
answers         the least edits of all ways to lay a form of the reference beside what was read, each confirmed
bindings        which numbers of what was read are which knobs
alignment       which state is which
points          where both are computed: what is equal at all points is taken for equal
products        expressions as products and sums, by what their parts come to
frames          one step of the reference, line by line, at the points
steps           one step of many trees that are made of one
known           which of the edits that mhat knows explain all, or a part
walk            the least slips that make of a line what was read
dealing         what is wanted of a product or a sum, dealt out to its sides
slips           one difference of a line, and the lines with some of them made
sentences       slips as edits, in words
"""
