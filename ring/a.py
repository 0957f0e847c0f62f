from .b import late
early = 1
