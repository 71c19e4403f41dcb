import { describe, expect, it } from "vitest";
import type { Health } from "../src/api/health";
import { query, type Story } from "../src/api/ledger";
import { agentRows, channelRows, share, took } from "../src/health/figures";
import { after, moment, toApi, toField } from "../src/ledger/moments";
import { checks, edited, steps, told } from "../src/ledger/story";

const at = (second: number): string => new Date(Date.UTC(2026, 0, 1, 12, 0, second)).toISOString();
const entry = (seq: number, event: string, second: number): Story["entries"][number] => ({
  seq, event, at: at(second), turn_id: "t", conversation_id: "c", actor: "system", body: {}, previous: "", hash: "",
});

const turn = {
  id: "t", draft: { agent: "faq", text: "We open at 9." }, agent_error: null, decided_at: at(3), created_at: at(0), signals: { quality: 1, grounding: 0.4 },
  findings: [{ check: "grounding", code: "no_passage", severity: "major", explanation: "", span: null, passage_id: null }],
};
const verdict = { id: "v", kind: "edit", text: "We open at 10.", reviewer: "Mia", at: at(9), reasons: [], severity: null };
const story = {
  is_whole: true, turn, said: [{ seq: 1, at: at(0), text: "When?", author: "customer", author_name: "Ann", turn_id: "t" }], evidence: null, holds: [{ id: "h", created_at: at(3), kind: "draft" }],
  verdicts: [verdict], sent: [{ id: "o", created_at: at(9), author_name: null, receipts: [{ outbox_id: "o", attempt: 1, at: at(10), outcome: "accepted" }] }], feedback: [], seconds: [],
  counted: { label: { at: at(9), by: "Mia", outcome: "edit", loss: 0.2 } },
  entries: [entry(1, "message.received", 0), entry(2, "agent.asked", 1), entry(3, "turn.drafted", 2), entry(4, "turn.decided", 3), entry(5, "hold.claimed", 5), entry(6, "something.new", 11)],
} as unknown as Story;

describe("a turn's story", () => {
  it("is told in the order in which it happened, each thing once", () => {
    expect(steps(story).map((one) => one.kind)).toEqual(["said", "drafted", "judged", "waits", "noted", "verdict", "queued", "label", "receipt", "noted"]);
  });
  it("says how long the agent took", () => {
    expect(steps(story).find((one) => one.kind === "drafted")?.is).toEqual({ tookMs: 1000 });
  });
  it("keeps what no record tells of", () => {
    expect(steps(story).filter((one) => one.kind === "noted").map((one) => (one.kind === "noted" ? one.is.event : ""))).toEqual(["hold.claimed", "something.new"]);
  });
  it("has keys that tell its steps apart", () => {
    const second = { hold_id: "h", at: at(20), first: { outcome: "edit" }, second: { outcome: "reject", by: "Tom" } };
    const keys = steps({ ...story, seconds: [second] } as unknown as Story).map((one) => one.key);
    expect(new Set(keys).size).toBe(keys.length);
  });
  it("shows a change only where a draft was edited", () => {
    expect(edited(story, story.verdicts[0]!)).toBe("We open at 9.");
    expect(edited(story, { ...story.verdicts[0]!, kind: "respond" })).toBeNull();
  });
  it("names checks that found something first", () => {
    expect(checks(story).map((one) => [one.check, one.signal, one.findings.length])).toEqual([["grounding", 0.4, 1], ["quality", 1, 0]]);
  });
});

describe("moments", () => {
  it("come back from a field as they went in, to the minute", () => {
    const text = "2026-05-02T10:07:00.000Z";
    expect(toApi(toField(text))).toBe(text);
    expect([toApi(""), toApi("nonsense"), toField(undefined)]).toEqual(["", "", ""]);
  });
  it("are told to the second", () => expect(moment(new Date(2026, 4, 2, 10, 7, 3).toISOString())).toBe("2026-05-02 10:07:03"));
  it.each([[0, ""], [40, "+40 ms"], [1500, "+1.5 s"], [600_000, "+10 min"], [7_200_000, "+2 h"], [259_200_000, "+3 days"]])("%i ms later is %s", (ms, words) => {
    expect(after(at(0), new Date(Date.parse(at(0)) + ms).toISOString())).toBe(words);
  });
});

it("leaves out of a query what is not asked", () => {
  expect(query({ customer: "a b&c", words: "", before: null, limit: 5, unmasked: false })).toBe("customer=a+b%26c&limit=5&unmasked=false");
});

const process = (is_silent: boolean, breaker: string): unknown => ({
  is_silent, knows: { agents: [{ agent: "faq", breaker, tries: 4, failed: 1 }], steps_failed: 0 },
});
const health = {
  processes: [process(false, "closed"), process(false, "open"), process(true, "half_open")],
  went: {
    agents: [{ agent: null, asked: 2, failed: 2, took: { p50_ms: 1, p95_ms: 2 } }, { agent: "faq", asked: 9, failed: 0, took: { p50_ms: 10, p95_ms: 20 } }],
    channels: [{ channel: "sms", tries: 3, outcomes: { accepted: 1, retry: 2 }, took: { p50_ms: 5, p95_ms: 6 } }],
  },
  unsent: [
    { channel: "sms", state: "pending", count: 2, oldest_at: at(5) }, { channel: "sms", state: "unknown", count: 1, oldest_at: at(2) }, { channel: "mail", state: "dead", count: 4, oldest_at: at(1) },
  ],
} as unknown as Health;

describe("health", () => {
  it("says of an agent the worst that a living process has, and in how many", () => {
    expect(agentRows(health).map((one) => [one.name, one.breaker, one.inProcesses, one.tries, one.triesFailed])).toEqual([["faq", "open", 1, 8, 2], [null, "closed", 0, 0, 0]]);
  });
  it("puts what was tried and what waits on a channel in one row", () => {
    expect(channelRows(health)).toMatchObject([
      { name: "mail", tries: 0, waits: 0, dead: 4, oldest: null },
      { name: "sms", tries: 3, accepted: 1, not: [["retry", 2]], waits: 3, dead: 0, oldest: at(2) },
    ]);
  });
  it.each([[0, 10, 0], [9, 10, 90], [15, 10, 150], [0, 0, 100]])("%i of %i is %i %%", (used, limit, percent) => expect(share(used, limit)).toBe(percent));
  it("says times as one does", () => expect([took(null), took(12.4), took(1400)]).toEqual(["–", "12 ms", "1.4 s"]));
});

describe("what an entry says beside its event", () => {
  it("leaves out ids, digests and what says nothing", () => {
    const body = { kind: "edit", reasons: [], repeat: false, text: "c38fcfac11a0baeaaad59d614cc9c6a9", verdict: "verdict-01m8g2tcy2kt4ng2c6c338nytv", until: "2026-11-28T03:22:53.010677+00:00" };
    expect(told(body)).toMatch(/^kind: edit · until: \d\d:\d\d:\d\d/);
    expect(told({ reasons: ["level_assist"], to: "person" })).toBe("reasons: level assist · to: person");
  });
});
