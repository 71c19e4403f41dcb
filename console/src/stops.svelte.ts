/** Where automatic replies are stopped, as all screens show it: read once the event stream is open, and again at each event of it. */
import { Refused } from "./api/calls";
import { stopCalls, type Stop } from "./api/stops";
import type { LedgerLine } from "./api/types";
import { notices } from "./state.svelte";
import { STOP } from "./words/stop";

const READ_AGAIN_MS = 30_000;
const AFTER_FAILURE_MS = 2_000;

class Stops {
  all = $state.raw<readonly Stop[]>([]);
  /** The topic and channel that somebody is asked about, and whether to stop or to resume. */
  asked = $state.raw<{ readonly what: "stop" | "resume"; readonly topic: string; readonly channel: string } | null>(null);
  isKnown = $state(false);
  private reads = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  isStopped(topic: string, channel: string): boolean {
    return this.all.some((one) => one.topic === topic && one.channel === channel);
  }

  /** Whether a stop covers a slice, be it its own or a wider one; `before` as long as no stop was read. */
  covers(topic: string, channel: string, before: boolean): boolean {
    if (!this.isKnown) return before;
    return this.all.some((one) => ["*", topic].includes(one.topic) && ["*", channel].includes(one.channel));
  }

  hear = (line: LedgerLine): void => {
    if (line.event === "autonomy.stopped" || line.event === "autonomy.resumed") void this.read();
  };

  async read(): Promise<void> {
    clearTimeout(this.timer);
    const own = (this.reads += 1);
    const found = await stopCalls.all().catch(() => null);
    if (own !== this.reads) return; // a later one is under way, and knows more
    if (found) {
      this.all = found;
      this.isKnown = true;
    }
    this.timer = setTimeout(() => void this.read(), found ? READ_AGAIN_MS : AFTER_FAILURE_MS);
  }

  end(): void {
    this.reads += 1;
    clearTimeout(this.timer);
    this.all = [];
    this.isKnown = false;
    this.asked = null;
  }

  async stop(topic: string, channel: string, why: string): Promise<boolean> {
    return this.order(() => stopCalls.stop(topic, channel, why), STOP.done(topic, channel), STOP.notDone);
  }

  async resume(topic: string, channel: string): Promise<boolean> {
    return this.order(() => stopCalls.resume(topic, channel), STOP.resumed(topic, channel), STOP.notResumed);
  }

  private async order(act: () => Promise<{ stops: readonly Stop[] }>, done: string, refused: (why: string) => string): Promise<boolean> {
    try {
      const standing = await act();
      this.reads += 1;
      this.all = standing.stops;
      notices.say("good", done);
      return true;
    } catch (error) {
      notices.say("bad", error instanceof Refused ? refused(error.message) : STOP.unknown);
      return false;
    } finally {
      void this.read();
    }
  }
}

export const stops = new Stops();
