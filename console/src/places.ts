/** Where one can be: an address behind `#` is a screen, perhaps the id of something, and what is asked of it. Nothing is shown here. */
import type { Component } from "svelte";
import { WORDS } from "./words";
import { DESK } from "./words/desk";

export type WideName = "autonomy" | "quality" | "insights" | "releases" | "health" | "ledger" | "replies";
export type ScreenName = "queue" | "hold" | "conversation" | WideName;
export type Place = {
  readonly screen: ScreenName;
  /** What is looked at there; a screen that shows many has none. */
  readonly id?: string;
  /** What a screen is asked to show, such as a filter; it stands in the address, so that a link says it too. */
  readonly asks?: Readonly<Record<string, string>>;
};

type Wide = {
  readonly label: string;
  /** The scope without which the screen is not offered. */
  readonly scope: string;
  /** A screen beside queue and review is fetched when it is first opened, so that these two stay small. */
  readonly load: () => Promise<{ default: Component<{ id?: string; asks?: Readonly<Record<string, string>> }> }>;
};

/** The screens of the navigation after the queue, in its order. */
export const WIDE: { readonly [name in WideName]?: Wide } = {
  autonomy: { label: "Autonomy", scope: "autonomy:read", load: () => import("./screens/Autonomy.svelte") },
  releases: { label: "Releases", scope: "releases:read", load: () => import("./screens/Releases.svelte") },
  replies: { label: DESK.canned.title, scope: "holds:read", load: () => import("./screens/Replies.svelte") },
  health: { label: "Health", scope: "metrics:read", load: () => import("./screens/Health.svelte") },
  ledger: { label: "Ledger", scope: "ledger:read", load: () => import("./screens/Ledger.svelte") },
};

export const isWide = (screen: ScreenName): screen is WideName => screen in WIDE;
export const LINKS: readonly { readonly screen: ScreenName; readonly label: string; readonly scope: string }[] = [
  { screen: "queue", label: WORDS.queue.title, scope: "holds:read" },
  ...Object.entries(WIDE).map(([screen, { label, scope }]) => ({ screen: screen as ScreenName, label, scope })),
];

const NARROW = ["hold", "conversation"];

export function placeOf(hash: string): Place {
  const [path = "", query = ""] = hash.replace(/^#\/?/, "").split("?", 2);
  const [first = "", id = ""] = path.split("/", 2);
  const screen = first || "queue";
  const isKnown = screen === "queue" || screen in WIDE || (NARROW.includes(screen) && id);
  if (!isKnown) return { screen: "queue" };
  const asks = Object.fromEntries(new URLSearchParams(query));
  return { screen: screen as ScreenName, ...(id ? { id: decoded(id) } : {}), ...(query ? { asks } : {}) };
}

function decoded(id: string): string {
  try {
    return decodeURIComponent(id);
  } catch {
    return id; // an address that somebody mistyped names nothing, and the screen says so
  }
}

export function hashOf({ screen, id, asks }: Place): string {
  const path = screen === "queue" && !id ? "" : id ? `${screen}/${encodeURIComponent(id)}` : screen;
  const query = new URLSearchParams(asks).toString();
  return `#/${path}${query ? `?${query}` : ""}`;
}
