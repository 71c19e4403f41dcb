/** Something read from the server that stays fresh while it is looked at: read again when an event tells of it, and now and then anyway. */
import { Refused } from "./api/calls";
import type { LedgerLine } from "./api/types";
import { queue } from "./queue/queue.svelte";

const GATHER_MS = 250; // events this close together are one question to the server
const APART_MS = 1_000; // and no two questions are closer than this,
const APART_MS_MAX = 5_000;
const APART_TIMES = 10; // nor, up to a limit, than so many times as long as the last answer took, so that looking costs a server little

export class Fresh<T> {
  value = $state.raw<T | null>(null);
  /** `old`: there is a value, and it could not be read again. */
  state = $state<"reading" | "here" | "old" | "failed" | "refused" | "missing">("reading");
  problem = $state("");
  readAt = $state(0);
  private reads = 0;
  private tookMs = 0;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private poll: ReturnType<typeof setTimeout> | undefined;
  private isOver = true;

  /** `hears`: whether an event tells of it; `every`: ms until it is read again though nothing told of it. */
  constructor(
    private readonly load: () => Promise<T>,
    private readonly hears: (line: LedgerLine) => boolean,
    private readonly every: (value: T | null) => number,
  ) {}

  /** Begin, until the returned function is called. */
  start(): () => void {
    this.isOver = false;
    void this.read();
    const stop = queue.listen((line) => this.hears(line) && this.soon());
    return () => {
      this.isOver = true;
      stop();
      clearTimeout(this.waiting);
      clearTimeout(this.poll);
    };
  }

  async read(): Promise<void> {
    const own = (this.reads += 1);
    const began = Date.now();
    let value: T | undefined;
    let failure: unknown;
    try {
      value = await this.load();
    } catch (error) {
      failure = error;
    }
    this.tookMs = Date.now() - began;
    if (own !== this.reads) return; // a later answer is here or under way
    if (value === undefined) this.fail(failure);
    else this.take(value);
    this.readAgainLater();
  }

  /** Take what an order answered, which is newer than whatever is being read. */
  put(value: T): void {
    this.reads += 1;
    this.take(value);
    this.readAgainLater();
  }

  private take(value: T): void {
    this.value = value;
    this.state = "here";
    this.readAt = Date.now();
  }

  private readAgainLater(): void {
    clearTimeout(this.poll);
    if (!this.isOver) this.poll = setTimeout(() => void this.read(), this.every(this.value));
  }

  private fail(error: unknown): void {
    const status = error instanceof Refused ? error.status : 0;
    this.problem = error instanceof Refused ? error.message : "";
    if (status === 403) this.state = "refused";
    else if (status === 404) this.state = "missing";
    else this.state = this.value === null ? "failed" : "old";
  }

  private soon(): void {
    if (this.waiting !== undefined) return;
    const apart = Math.max(APART_MS, Math.min(APART_MS_MAX, APART_TIMES * this.tookMs));
    const wait = Math.max(GATHER_MS, this.readAt + apart - Date.now());
    this.waiting = setTimeout(() => {
      this.waiting = undefined;
      void this.read();
    }, wait);
  }
}
