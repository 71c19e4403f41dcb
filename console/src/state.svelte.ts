/** What all screens share: who is signed in, where one is, the time, and what was said to the reader. The queue stands apart. */
import { tick } from "svelte";
import { api, Refused, whenSignedOut } from "./api/calls";
import type { SignedIn } from "./api/types";
import { unsent } from "./desk/unsent";
import { firstOpen, hashOf, isOpen, placeOf, type Place } from "./places";

class Session {
  /** undefined: not known yet; null: nobody. */
  who = $state<SignedIn | null | undefined>(undefined);
  hasEnded = $state(false);
  /** Whether one is signing out, so that what is on the screen was seen to. */
  isLeaving = false;
  private last: string | null = null;

  get name(): string {
    return this.who?.name ?? "";
  }

  may(scope: string): boolean {
    return this.who?.scopes.some((one) => one === scope) ?? false;
  }

  /** Somebody is signed in: where they were, or where they may begin, if somebody else was there or it is not open to them. */
  enter(who: SignedIn): void {
    this.hasEnded = false;
    this.who = who;
    const isAnother = this.last !== null && this.last !== who.name;
    this.last = who.name;
    if (isAnother) (unsent.clear(), notices.clear());
    const may = (scope: string): boolean => this.may(scope);
    if (isAnother || !isOpen(where.place, may)) where.go(firstOpen(may), { replace: true });
  }

  async find(): Promise<void> {
    try {
      const who = await api.whoAmI();
      this.last = who.name; // a page that is loaded stays where its address says
      this.who = who;
    } catch (error) {
      if (error instanceof Refused) {
        this.hasEnded ||= this.who != null;
        this.who = null;
      } else {
        this.who ??= null; // whoever was signed in stays so until the server says otherwise
        setTimeout(() => void this.find(), 2_000);
      }
    }
  }

  /** Sign out; the hold on the screen is given back before, while one may, so that nobody waits until the claim lapses. */
  async leave(): Promise<void> {
    const { screen, id } = where.place;
    this.isLeaving = true;
    if (screen === "hold" && id) await api.release(id).catch(() => undefined);
    try {
      await api.signOut();
      this.hasEnded = false;
      this.who = null;
      await tick(); // what is on the screen goes, and has nothing to give back any more
    } finally {
      this.isLeaving = false;
    }
  }
}

export const session = new Session();
whenSignedOut(() => {
  session.hasEnded = session.who != null || session.hasEnded;
  session.who = null;
});

class Where {
  place = $state.raw<Place>(placeOf(location.hash));

  go(place: Place, options: { replace?: boolean } = {}): void {
    if (options.replace) history.replaceState(null, "", hashOf(place));
    else history.pushState(null, "", hashOf(place));
    this.place = place;
  }

  /** A click on a link; with a key that opens it elsewhere it is left to the browser. */
  follow(event: MouseEvent, place: Place): void {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    this.go(place);
  }
}

export const where = new Where();
addEventListener("popstate", () => (where.place = placeOf(location.hash)));

class Now {
  /** The moment in ms, told anew every second. */
  ms = $state(Date.now());
}

export const now = new Now();
setInterval(() => (now.ms = Date.now()), 1_000);

export type Notice = { readonly id: number; readonly kind: "good" | "bad"; readonly words: string; readonly kept: string | null };

const GOOD_MS = 3_500;

/** What the reader is told at the edge of the screen. Bad news stays until it is put away, and keeps the text that was not sent. */
class Notices {
  all = $state.raw<readonly Notice[]>([]);
  private last = 0;

  say(kind: "good" | "bad", words: string, kept: string | null = null): void {
    const id = (this.last += 1);
    const others = kind === "good" ? this.all.filter((one) => one.kind === "bad") : this.all;
    this.all = [...others, { id, kind, words, kept }].slice(-4);
    if (kind === "good") setTimeout(() => this.drop(id), GOOD_MS);
  }

  /** What was said to somebody is for nobody else. */
  clear(): void {
    this.all = [];
  }

  drop(id: number): void {
    this.all = this.all.filter((one) => one.id !== id);
  }
}

export const notices = new Notices();

export const THEMES = ["auto", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

class Look {
  theme = $state<Theme>(readTheme());
  keysShown = $state(false);

  set(theme: Theme): void {
    this.theme = theme;
    localStorage.setItem("theme", theme);
    this.apply();
  }

  apply(): void {
    if (this.theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.theme;
  }
}

function readTheme(): Theme {
  const kept = localStorage.getItem("theme");
  return THEMES.find((one) => one === kept) ?? "auto";
}

export const look = new Look();
