"""The classes of Mapillary Vistas (65 of them) that a campus has: what a mask's numbers mean."""

CURB = 2
FENCE = 3
ROAD = 13
SIDEWALK = 15
BUILDING = 17
PERSON = 19
SKY = 27
SNOW = 28
TERRAIN = 29
VEGETATION = 30
BILLBOARD = 35
STREET_LIGHT = 44
POLE = 45
CAR = 55
TRUCK = 61
EGO_VEHICLE = 64
