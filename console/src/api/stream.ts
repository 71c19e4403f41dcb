/** Follows `/v1/events` by fetch, because it must begin right after what the queue was read at, and resumes where it was. */
import type { LedgerLine } from "./types";

const BACKOFF_MS_MIN = 250;
const BACKOFF_MS_MAX = 2_500; // so that one is back within 3 s of the server
const SILENCE_MS_MAX = 45_000; // the server says something every 15 s; one this silent is dead though nobody said so

export type State = "live" | "lost";

/** Cuts a text/event-stream into events, whatever pieces it comes in. */
export class EventLines {
  private rest = "";
  private data: string[] = [];

  constructor(private readonly onEvent: (data: string) => void) {}

  push(piece: string): void {
    this.rest += piece;
    const lines = this.rest.split(/\r\n|\n/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) this.line(line);
  }

  private line(line: string): void {
    if (line === "") {
      if (this.data.length) this.onEvent(this.data.join("\n"));
      this.data = [];
    } else if (line.startsWith("data:")) {
      this.data.push(line.slice(line[5] === " " ? 6 : 5));
    }
  }
}

/** Follow until the returned function is called; `refused` hears of an answer that more tries cannot change. */
export function follow(
  after: number,
  heard: (line: LedgerLine) => void,
  changed: (state: State) => void,
  refused: (status: number) => void,
): () => void {
  let seen = after;
  let isOver = false;
  let failures = 0;
  let abort = new AbortController();

  async function listen(): Promise<void> {
    abort = new AbortController();
    let heardAt = Date.now();
    const watch = setInterval(() => Date.now() - heardAt > SILENCE_MS_MAX && abort.abort(), 5_000);
    try {
      const headers = { accept: "text/event-stream", "last-event-id": String(seen) };
      const answer = await fetch("/v1/events", { headers, signal: abort.signal });
      if (answer.status === 401 || answer.status === 403) {
        isOver = true;
        refused(answer.status);
        return;
      }
      if (!answer.ok || !answer.body) return;
      failures = 0;
      changed("live");
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      const lines = new EventLines((data) => {
        const line = JSON.parse(data) as LedgerLine;
        seen = line.seq;
        heard(line);
      });
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        heardAt = Date.now();
        lines.push(value);
      }
    } catch {
      // Whatever broke while reading, the remedy is the same: connect again.
    } finally {
      clearInterval(watch);
      abort.abort();
    }
  }

  async function keepListening(): Promise<void> {
    while (!isOver) {
      await listen();
      if (isOver) return;
      changed("lost");
      failures += 1;
      const most = Math.min(BACKOFF_MS_MIN * 2 ** (failures - 1), BACKOFF_MS_MAX);
      await new Promise((done) => setTimeout(done, most / 2 + (Math.random() * most) / 2));
    }
  }

  void keepListening();
  return () => {
    isOver = true;
    abort.abort();
  };
}
