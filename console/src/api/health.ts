/** Calls about how everything goes, and about messages that did not reach the customer. */
import { ask } from "./calls";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Health = Schemas["Health"];
export type Examination = Schemas["Examination"];
export type OutboxList = Schemas["OutboxList"];
export type OutboxRow = Schemas["OutboxRow"];
export type Retried = Schemas["Retried"];

const at = encodeURIComponent;

export const health = {
  look: (minutes: number) => ask<Health>("GET", `health?minutes=${minutes}`),
  examine: () => ask<Examination>("POST", "health/doctor"),
  outbox: () => ask<OutboxList>("GET", "outbox?limit=200"),
  retry: (id: string, didNotArrive: boolean) => ask<Retried>("POST", `outbox/${at(id)}/retry`, { did_not_arrive: didNotArrive }),
  retryDead: () => ask<Retried>("POST", "outbox/retry-dead", {}),
  drop: (id: string, reason: string) => ask<unknown>("POST", `outbox/${at(id)}/drop`, { reason }),
};
