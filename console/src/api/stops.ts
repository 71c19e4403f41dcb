/** Calls that stop automatic replies, resume them, and say where they are stopped. */
import { ask } from "./calls";
import type { components } from "./schema";

export type Stop = components["schemas"]["Stop"];
type Standing = components["schemas"]["Standing"];

export const stopCalls = {
  all: () => ask<Stop[]>("GET", "autonomy/stops"),
  stop: (topic: string, channel: string, why: string) => ask<Standing>("POST", "autonomy/hold", { topic, channel, why }),
  resume: (topic: string, channel: string) => ask<Standing>("POST", "autonomy/resume", { topic, channel }),
};
