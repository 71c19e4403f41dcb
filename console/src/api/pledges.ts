/** Calls about what customers were promised. */
import { ask } from "./calls";
import type { components } from "./schema";

export type Pledge = components["schemas"]["PledgeOut"];
export type SaidPledge = components["schemas"]["SaidPledgeOut"];

const at = (id: string): string => `pledges/${encodeURIComponent(id)}`;

export const pledges = {
  all: (states: readonly Pledge["state"][]) =>
    ask<{ items: Pledge[] }>("GET", `pledges?limit=500&${states.map((state) => `state=${state}`).join("&")}`),
  keep: (id: string) => ask<Pledge>("POST", `${at(id)}/keep`, {}),
  withdraw: (id: string, note: string) => ask<Pledge>("POST", `${at(id)}/withdraw`, { note }),
  putOff: (id: string, due_at: string) => ask<Pledge>("POST", `${at(id)}/put_off`, { due_at }),
};
