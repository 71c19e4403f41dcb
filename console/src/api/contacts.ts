/** Calls about one customer that only a lead makes. */
import { ask } from "./calls";
import type { components } from "./schema";
import type { Contact } from "./types";

type Schemas = components["schemas"];
export type WhyLifted = Schemas["WhyLifted"];
export type Erased = Schemas["ErasedOut"];

const at = (id: string): string => `contacts/${encodeURIComponent(id)}`;

export const people = {
  lift: (id: string, why: WhyLifted) => ask<Contact>("POST", `${at(id)}/lift_cap`, { why }),
  vouch: (id: string, kind: "email" | "phone", value: string) => ask<Contact>("POST", `${at(id)}/vouch`, { kind, value }),
  code: (conversation: string, kind: "email" | "phone", value: string) =>
    ask<unknown>("POST", `conversations/${encodeURIComponent(conversation)}/code`, { kind, value }),
  erase: (id: string, with_linked: boolean) => ask<Erased>("POST", `${at(id)}/erase`, { confirm: id, with_linked }),
};
