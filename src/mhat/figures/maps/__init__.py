"""Maps: what belongs to what, drawn.

kinship     rules that are others with some knobs set
"""

from mhat.figures.maps.kinship import kinship_map

__all__ = ["kinship_map"]
