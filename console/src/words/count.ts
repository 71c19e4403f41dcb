/** A number with the noun that it counts. */
export function count(number: number, one: string, more: string): string {
  return `${number.toLocaleString("en")} ${number === 1 ? one : more}`;
}
