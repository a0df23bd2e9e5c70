"""What single vendors' files need beyond ecgdatakit: repairs, padding, ages, the cart's own words; and CardioSoft XML."""
