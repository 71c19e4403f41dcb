/** Calls about who takes hand-offs, and who is here for them. */
import { ask } from "./calls";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Teams = Schemas["TeamsOut"];
export type Team = Schemas["TeamOut"];
export type PersonHere = Schemas["PersonHere"];
export type Wait = Schemas["WaitOut"];

export const teamsApi = {
  all: () => ask<Teams>("GET", "teams"),
  waiting: () => ask<{ items: Wait[] }>("GET", "teams/waiting?limit=500"),
  waitingWith: (hold: string) => ask<{ items: Wait[] }>("GET", `teams/waiting?hold=${encodeURIComponent(hold)}`),
  assign: (hold: string, person: string | null) => ask<Wait>("POST", `teams/waiting/${encodeURIComponent(hold)}/assign`, { person }),
  me: () => ask<PersonHere>("GET", "desk/presence"),
  say: (is_away: boolean) => ask<PersonHere>("PUT", "desk/presence", { is_away }),
};
