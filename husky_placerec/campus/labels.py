"""The values of a mask: those of the 65 classes of Mapillary Vistas that a campus has."""

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
