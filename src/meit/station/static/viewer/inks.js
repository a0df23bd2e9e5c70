/* The colours of the sheet: paper as carts print it, or a neutral grey. Every ink has a contrast of 4.5 or more to it. */

const COMMON = {
  ink: "#1c1c24",
  previous: "#1f5fae",
  note: "#a03a2c",
  grey: "#5f5863",
  mark: "#8a4b00",
  caliper: "#00616b",
};

export const INKS = {
  pink: { ...COMMON, paper: "#fffdfc", fine: "#f9e0dd", coarse: "#efb9b4" },
  grey: { ...COMMON, paper: "#ffffff", fine: "#eceef0", coarse: "#ccd1d6" },
};
export const FAINT = 0.28; // of leads beside the one that is highlighted
