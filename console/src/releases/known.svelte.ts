/** The releases by name, read once a minute at most, for screens that name a version; without them its bare name stands. */
import { releaseCalls } from "../api/releases";
import { session } from "../state.svelte";
import { called, inOne, namesOf, type Named } from "./names";

const KEPT_MS = 60_000;

class Known {
  private names = $state.raw<ReadonlyMap<string, Named>>(new Map());
  private readAt = 0;

  /** Read them if they may be read and are not fresh. */
  look(): void {
    if (!session.may("releases:read") || Date.now() - this.readAt < KEPT_MS) return;
    this.readAt = Date.now();
    void releaseCalls.agents().then((agents) => (this.names = namesOf(agents)), () => (this.readAt = 0));
  }

  named(name: string): Named {
    return called(name, this.names);
  }

  whole(name: string): string {
    return inOne(this.named(name));
  }
}

export const known = new Known();
