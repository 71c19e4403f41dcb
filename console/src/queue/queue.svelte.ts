/** The queue as it stands at the server: read once, then kept up to date by the event stream; rows are replaced, never mended. */
import { api, Refused } from "../api/calls";
import { follow, type State } from "../api/stream";
import type { HoldDetail, LedgerLine, QueueRow } from "../api/types";
import { now, session } from "../state.svelte";
import { isShown, isTaken, nextFree, NO_FILTERS, ordered, ORDERS, succeeded, type Filters, type Order } from "./order";

const AHEAD = 3;
const GATHER_MS = 80; // events this close together are one question to the server
const ASKED_AT_ONCE = 200;
const CLAIMS_LOOKED_AT_MS = 10_000;
const READ_AGAIN_MS = 120_000; // what no event told of, such as what is kept from this reader for a while
const DETAILS_KEPT = 12;

export class Queue {
  private byId = new Map<string, QueueRow>();
  private changed = new Set<string>();
  private gathering: ReturnType<typeof setTimeout> | undefined;
  private timers: ReturnType<typeof setInterval>[] = [];
  private stop: (() => void) | undefined;
  private listeners = new Set<(line: LedgerLine) => void>();
  private details = new Map<string, Promise<HoldDetail>>();
  private known = new Map<string, HoldDetail>();
  /** Holds that were looked at and left as they are, on purpose. */
  private passed = new Set<string>();

  /** In the order asked for. */
  all = $state.raw<readonly QueueRow[]>([]);
  total = $state(0);
  state = $state<"reading" | "here" | "failed" | "refused">("reading");
  link = $state<State>("live");
  arrived = $state(0);

  order = $state<Order>(ORDERS.find((one) => one === localStorage.getItem("order")) ?? "deadline");
  filters = $state.raw<Filters>(NO_FILTERS);
  /** The chosen row, by its id: a place would be another row after the next arrival. */
  chosen = $state<string | null>(null);

  shown = $derived.by(() => {
    if (Object.values(this.filters).every((asked) => !asked)) return this.all;
    const moment = this.filters.free ? now.ms : 0;
    return this.all.filter((row) => isShown(row, this.filters, session.name, moment));
  });
  topics = $derived([...new Set(this.all.map((row) => row.topic ?? ""))].sort());
  channels = $derived([...new Set(this.all.map((row) => row.channel))].sort());

  async start(): Promise<void> {
    this.end();
    if (!session.may("holds:read")) {
      this.state = "refused";
      return;
    }
    this.state = "reading";
    try {
      const read = await api.queue();
      this.byId = new Map(read.rows.map((row) => [row.id, row]));
      this.total = read.open_holds;
      this.show();
      this.state = "here";
      this.stop = follow(read.seq, (line) => this.hear(line), (link) => (this.link = link), () => void session.find());
      this.timers = [
        setInterval(() => this.lookAtClaims(), CLAIMS_LOOKED_AT_MS),
        setInterval(() => void this.readAgain(), READ_AGAIN_MS),
      ];
    } catch (error) {
      this.state = error instanceof Refused && error.status === 403 ? "refused" : "failed";
    }
  }

  end(): void {
    this.stop?.();
    this.timers.forEach(clearInterval);
    clearTimeout(this.gathering);
    this.details.clear();
    this.known.clear();
    this.passed.clear();
  }

  setOrder(order: Order): void {
    this.order = order;
    this.show();
    localStorage.setItem("order", order);
  }

  row(id: string): QueueRow | undefined {
    return this.byId.get(id);
  }

  /** Hear of every event until the returned function is called. */
  listen(hears: (line: LedgerLine) => void): () => void {
    this.listeners.add(hears);
    return () => this.listeners.delete(hears);
  }

  /** The hold to work on once `id` is decided: the first there is but those that were passed over. */
  next(id: string): QueueRow | null {
    return nextFree(this.shown.filter((row) => !this.passed.has(row.id)), 0, id, session.name, now.ms) ?? this.after(id);
  }

  /** Leave a hold to others, or for later. */
  pass(id: string): void {
    this.passed.add(id);
  }

  /** Another hold of the same conversation that waits and that nobody is at. */
  ofConversation(conversation: string, but: string): QueueRow | null {
    return this.all.find((row) => row.conversation_id === conversation && row.id !== but && !isTaken(row, session.name, now.ms)) ?? null;
  }

  /** The next hold below `id`, for whoever leaves it as it is. */
  after(id: string): QueueRow | null {
    const place = this.shown.findIndex((row) => row.id === id);
    return nextFree(this.shown, place + 1, id, session.name, now.ms);
  }

  /** Fetch what one comes to next, decided or passed over, so that it is there with the key. */
  fetchAhead(id: string): void {
    const ahead = [this.next(id)];
    for (let below = this.after(id); below && ahead.length <= AHEAD; below = this.after(below.id)) ahead.push(below);
    for (const row of ahead) if (row) void this.detail(row.id).catch(() => undefined);
  }

  /** Rows that wait with the same harmless draft as this one and that nobody is at, the first in the queue first. */
  alike(id: string): QueueRow[] {
    const alike = this.byId.get(id)?.alike;
    if (!alike) return [];
    return this.all.filter((row) => row.alike === alike && row.id !== id && !isTaken(row, session.name, now.ms));
  }

  look(order: Order, filters: Filters): void {
    this.setOrder(order);
    this.filters = filters;
  }

  /** Take a decided hold off before the server says so; `mend` puts it right should it have been refused. */
  drop(id: string): void {
    const row = this.byId.get(id);
    if (!row) return;
    this.byId.delete(id);
    this.total -= 1;
    this.show();
  }

  mend(id: string): void {
    this.forget(id);
    this.ask(id);
  }

  /** A hold with all there is to see, from memory where it was fetched beforehand and did not change since. */
  detail(id: string): Promise<HoldDetail> {
    const known = this.details.get(id);
    if (known) return known;
    const asked = api.hold(id);
    this.details.set(id, asked);
    asked.then(
      (found) => this.details.get(id) === asked && this.known.set(id, found),
      () => this.details.get(id) === asked && this.forget(id),
    );
    if (this.details.size > DETAILS_KEPT) this.forget(this.details.keys().next().value!);
    return asked;
  }

  /** The same at once, if it is here: then it is shown in the very frame in which it was asked for. */
  detailNow(id: string): HoldDetail | null {
    return this.known.get(id) ?? null;
  }

  private forget(id: string): void {
    this.details.delete(id);
    this.known.delete(id);
  }

  fresh(id: string): Promise<HoldDetail> {
    this.forget(id);
    return this.detail(id);
  }

  private hear(line: LedgerLine): void {
    const hold = line.body["hold"];
    if (typeof hold === "string" && line.event.startsWith("hold.")) {
      this.forget(hold);
      this.ask(hold);
    } else if (typeof hold === "string" && line.event.startsWith("staffing.")) {
      this.ask(hold); // whose it is stands in the row alone
    }
    this.listeners.forEach((hears) => hears(line));
  }

  private ask(id: string): void {
    this.changed.add(id);
    this.gathering ??= setTimeout(() => void this.readChanged(), GATHER_MS);
  }

  private async readChanged(): Promise<void> {
    const ids = [...this.changed].slice(0, ASKED_AT_ONCE);
    ids.forEach((id) => this.changed.delete(id));
    try {
      const read = await api.queue(ids);
      const found = new Map(read.rows.map((row) => [row.id, row]));
      let arrived = 0;
      for (const id of ids) {
        const row = found.get(id);
        if (row?.state === "open" && !row.undo_until) {
          if (!this.byId.has(id)) arrived += 1;
          this.byId.set(id, row);
        } else {
          this.byId.delete(id);
        }
      }
      this.total = read.open_holds;
      this.arrived += arrived;
      this.show();
    } catch {
      ids.forEach((id) => this.changed.add(id));
      await new Promise((done) => setTimeout(done, 1_000));
    }
    this.gathering = undefined;
    if (this.changed.size) this.gathering = setTimeout(() => void this.readChanged(), GATHER_MS);
  }

  private async readAgain(): Promise<void> {
    if (document.hidden || this.link === "lost") return;
    const read = await api.queue().catch(() => null);
    if (!read) return;
    this.byId = new Map(read.rows.map((row) => [row.id, row]));
    this.total = read.open_holds;
    this.show();
  }

  /** A claim that was renewed is no event: ask about those that would have lapsed. */
  private lookAtClaims(): void {
    for (const row of this.byId.values()) {
      if (row.claimed_by && row.claimed_by !== session.name && !isTaken(row, session.name, Date.now())) this.ask(row.id);
    }
  }

  private show(): void {
    this.all = ordered(succeeded(this.all, this.byId), this.order);
  }
}

export const queue = new Queue();
