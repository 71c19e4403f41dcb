/** Where one can be: an address behind `#` is a screen, perhaps the id of something, and what is asked of it. Nothing is shown here. */
import type { Component } from "svelte";
import { WORDS } from "./words";

export type WideName = "autonomy" | "quality" | "insights" | "releases" | "health" | "ledger" | "staffing" | "pledges" | "replies" | "people";
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
  autonomy: { label: WORDS.screens.autonomy, scope: "autonomy:read", load: () => import("./screens/Autonomy.svelte") },
  quality: { label: WORDS.screens.quality, scope: "autonomy:read", load: () => import("./screens/Quality.svelte") },
  insights: { label: WORDS.screens.insights, scope: "autonomy:read", load: () => import("./screens/Insights.svelte") },
  releases: { label: WORDS.screens.releases, scope: "releases:read", load: () => import("./screens/Releases.svelte") },
  health: { label: WORDS.screens.health, scope: "metrics:read", load: () => import("./screens/Health.svelte") },
  ledger: { label: WORDS.screens.ledger, scope: "ledger:read", load: () => import("./screens/Ledger.svelte") },
  staffing: { label: WORDS.screens.staffing, scope: "autonomy:read", load: () => import("./screens/Staffing.svelte") },
  pledges: { label: WORDS.screens.pledges, scope: "holds:read", load: () => import("./screens/Pledges.svelte") },
  replies: { label: WORDS.screens.replies, scope: "holds:read", load: () => import("./screens/Replies.svelte") },
  people: { label: WORDS.screens.people, scope: "users:write", load: () => import("./screens/People.svelte") },
};

export const isWide = (screen: ScreenName): screen is WideName => screen in WIDE;
export const LINKS: readonly { readonly screen: ScreenName; readonly label: string; readonly scope: string }[] = [
  { screen: "queue", label: WORDS.queue.title, scope: "holds:read" },
  ...Object.entries(WIDE).map(([screen, { label, scope }]) => ({ screen: screen as ScreenName, label, scope })),
];

/** Whether a place is open to whoever has these scopes. The story of one turn is, without the ledger. */
export function isOpen({ screen, id }: Place, may: (scope: string) => boolean): boolean {
  if (screen === "ledger" && id !== undefined) return may("turns:read");
  return may(WIDE[screen as WideName]?.scope ?? "holds:read");
}

/** The first place that is open. */
export const firstOpen = (may: (scope: string) => boolean): Place => ({ screen: LINKS.find((one) => may(one.scope))?.screen ?? "queue" });

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
