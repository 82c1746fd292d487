"""What `placerec calibrate` needs beyond the recognition itself."""
