/** Every text about what a person who gets a hand-off has to know; its lines are the server's. */

export const HAND_OVER = {
  title: "In short",
  see: "See it there",
} as const;
