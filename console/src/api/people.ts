/** Calls of the screen of people. */
import { ask } from "./calls";
import type { components } from "./schema";

export type Person = components["schemas"]["UserOut"];
export type Role = Person["role"];
export type WithPassword = components["schemas"]["UserWithPassword"];

export const ROLES: readonly Role[] = ["viewer", "reviewer", "lead", "releaser", "auditor", "admin"];

const at = (id: string): string => `users/${encodeURIComponent(id)}`;

export const people = {
  all: () => ask<Person[]>("GET", "users"),
  add: (name: string, role: Role) => ask<WithPassword>("POST", "users", { name, role }),
  change: (id: string, changed: { role?: Role; disabled?: boolean }) => ask<Person>("POST", at(id), changed),
  password: (id: string) => ask<WithPassword>("POST", `${at(id)}/password`),
  signOut: (id: string) => ask<Person>("POST", `${at(id)}/sign_out`),
};
