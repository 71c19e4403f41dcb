/** Calls about what happened: search, stories, proofs; an export is a link, so that the browser writes it to disk as it comes. */
import { ask } from "./calls";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Story = Schemas["StoryOut"];
export type FoundTurn = Schemas["FoundTurn"];
export type FoundTurns = Schemas["FoundTurns"];
export type FoundEntries = Schemas["FoundEntries"];
export type Entry = Schemas["LedgerLine"];
export type ChainProof = Schemas["ChainProofOut"];
export type TurnProofs = Schemas["TurnProofsOut"];

export type Asks = Readonly<Record<string, string>>;

const at = encodeURIComponent;

/** The parameters that have a value, as a query. */
export function query(asked: Readonly<Record<string, string | number | boolean | null | undefined>>): string {
  const given = Object.entries(asked).filter(([, value]) => value !== "" && value !== null && value !== undefined);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString();
}

export const ledger = {
  turns: (asked: Asks, before: string | null, limit: number) => ask<FoundTurns>("GET", `ledger/turns?${query({ ...asked, before, limit })}`),
  entries: (asked: Asks, before: string | null, limit: number) => ask<FoundEntries>("GET", `ledger/entries?${query({ ...asked, before, limit })}`),
  story: (id: string) => ask<Story>("GET", `turns/${at(id)}/story`),
  prove: (id: string) => ask<TurnProofs>("GET", `turns/${at(id)}/verification`),
  proveChain: (after: number, limit: number) => ask<ChainProof>("GET", `ledger/verification?${query({ after, limit })}`),
  exportAt: (asked: Readonly<Record<string, string | boolean>>) => `/v1/ledger/export?${query(asked)}`,
};
