import { describe, expect, it } from "vitest";
import type { CurvePoint, LabelBucket, SliceStatus } from "../src/api/autonomy";
import type { AgentReleases, Release, ReleaseStatus } from "../src/api/releases";
import { coverageAt, labelDrawing, riskDrawing, ticks } from "../src/autonomy/geometry";
import { gridOf, isWanted, leading, shareAlone, totalsOf } from "../src/autonomy/grid";
import { intervalDrawing } from "../src/releases/interval";
import { firstOpen, isOpen } from "../src/places";
import { called, inOne, namesOf } from "../src/releases/names";
import { doneShare, ordersFor, reached, shareOf, stepsOf } from "../src/releases/stages";
import { AUTONOMY, percent } from "../src/words/autonomy";
import { STOP } from "../src/words/stop";

const TARGETS = { risk_max: 0.05, severe_max: 0.005, delta: 0.05, sensitivity: 0.7, alarm: 1000 };

function slice(fields: Partial<SliceStatus> = {}): SliceStatus {
  return {
    topic: "returns", channel: "webchat", release: "v1", level: "assist", given_by: "configuration", on_hold: false, drafts: 10, awaiting: 0, labels: 0,
    loss_sum: 0, severe: 0, timeouts: 0, evidence: 0, labels_min: 107, threshold: null, certified: null, coverage: null, delivered: 0, audited: 0,
    audit_rate: null, burst_left: 0, alarm: 0, calibrator: null, proposal: null, since: null, expires_at: null, targets: TARGETS, thresholds_wait_for: 0,
    epoch: null, lately: 0, lately_alone: 0, audits_owed: 0, answers: 1, stage: null, ...fields,
  };
}
const PROPOSAL = { level: "probation", threshold: 0.9, at: "2026-01-01T12:00:00Z", basis: "e-1" } as const;

describe("the grid", () => {
  it("lets the release speak that answers alone, then the one that is proposed, then the latest", () => {
    const old = slice({ release: "v1", since: "2026-01-01T00:00:00Z", drafts: 900 });
    const later = slice({ release: "v2", since: "2026-02-01T00:00:00Z" });
    expect(leading([old, later])?.release).toBe("v2");
    expect(leading([slice({ release: "v0", proposal: PROPOSAL }), later])?.release).toBe("v0");
    expect(leading([slice({ release: "v0", proposal: PROPOSAL }), slice({ release: "a", level: "auto" })])?.release).toBe("a");
    expect(leading([])).toBeUndefined();
  });
  it("lets the version speak that answers now, whatever one promised that was taken back", () => {
    const back = slice({ release: "rel-2", stage: "rolled_back", answers: 0, level: "probation", since: "2026-02-01T00:00:00Z" });
    const answers = slice({ release: "v1", stage: "full", level: "auto", lately: 25, lately_alone: 24 });
    expect(leading([back, answers])?.release).toBe("v1");
    expect(leading([back, slice({ release: "old", stage: "shadow", answers: 0, level: "assist" })])?.release).toBe("old");
    const cell = gridOf([back, answers], "all", "").cell("returns", "webchat");
    expect([cell?.lead.release, cell?.answering.length, cell?.others]).toEqual(["v1", 1, 1]);
    expect(totalsOf([back, slice({ release: "v1", stage: "full" })]).alone).toBe(0);
  });
  it("shows both where two answer, the larger share first", () => {
    const few = slice({ release: "rel-2", stage: "canary", answers: 0.1, level: "auto" });
    const cell = gridOf([few, slice({ release: "v1", stage: "full", answers: 0.9 }), slice({ release: "x", answers: 0 })], "all", "").cell("returns", "webchat");
    expect([cell?.answering.map((one) => one.release), cell?.others]).toEqual([["v1", "rel-2"], 1]);
  });
  it("keeps a row whole when one of its cells is wanted", () => {
    const slices = [slice(), slice({ channel: "sms", level: "auto" }), slice({ topic: "sizing" })];
    const grid = gridOf(slices, "alone", "");
    expect(grid.topics).toEqual(["returns"]);
    expect(grid.channels).toEqual(["sms", "webchat"]);
    expect(grid.cell("returns", "webchat")?.lead.level).toBe("assist");
    expect(grid.cell("sizing", "sms")).toBeUndefined();
    expect(gridOf(slices, "all", " SIZ ").topics).toEqual(["sizing"]);
  });
  it("puts a topic pooled over its channels last, and counts it as no slice", () => {
    const slices = [slice({ channel: "*" }), slice({ channel: "zulu", level: "auto", audits_owed: 2 }), slice({ topic: "b", level: "demoted", audits_owed: 1 })];
    expect(gridOf(slices, "all", "").channels).toEqual(["webchat", "zulu", "*"]);
    expect(totalsOf(slices)).toEqual({ slices: 2, alone: 1, proposed: 0, demoted: 1, owed: 3 });
  });
  it("does not call alone what a person stopped", () => {
    expect(isWanted(slice({ level: "auto", on_hold: true }), "alone")).toBe(false);
    expect(isWanted(slice({ level: "auto", on_hold: true }), "stopped")).toBe(true);
  });
  it("keeps a name apart that has what would divide it", () => {
    expect(gridOf([slice({ topic: 'a","b', channel: "c" }), slice({ topic: "a", channel: 'b","c' })], "all", "").topics).toHaveLength(2);
  });
  it("knows no share where nothing came", () => {
    expect(shareAlone(slice())).toBeNull();
    expect(shareAlone(slice({ lately: 8, lately_alone: 2 }))).toBe(0.25);
  });
});

describe("the risk-coverage curve", () => {
  const frame = { width: 560, height: 240, left: 46, right: 14, top: 22, bottom: 36 };
  const curve: CurvePoint[] = [
    { threshold: 0.95, coverage: 0.2, risk: 0 },
    { threshold: 0.9, coverage: 0.5, risk: 0.02 },
    { threshold: 0.4, coverage: 1, risk: 0.09 },
  ];
  it("goes from left to right inside its frame", () => {
    const drawing = riskDrawing(curve, 0.035, frame);
    const points = drawing.path.split(/[ML]/).filter((part) => part.trim()).map((part) => part.trim().split(" ").map(Number));
    const xs = points.map(([x]) => x!);
    expect([...xs].sort((a, b) => a - b)).toEqual(xs);
    expect(xs[0]).toBe(46);
    expect(xs.at(-1)).toBe(546);
    for (const [, y] of points) expect(y! >= 22 && y! <= 204).toBe(true);
    expect(drawing.ticksY.at(-1)!.value).toBeGreaterThanOrEqual(0.09);
  });
  it("has room for what is promised when nothing was lost", () => {
    const drawing = riskDrawing([{ threshold: 0.9, coverage: 1, risk: 0 }], 0.035, frame);
    expect(drawing.y(0.035)).toBeGreaterThan(22);
    expect(drawing.y(0)).toBe(204);
  });
  it("is empty without labels", () => {
    expect(riskDrawing([], 0.05, frame).path).toBe("");
    expect(coverageAt([], 0.5)).toBeNull();
  });
  it("says which share a threshold covers", () => {
    expect(coverageAt(curve, 0.9)).toBe(0.5);
    expect(coverageAt(curve, 0.93)).toBe(0.2);
    expect(coverageAt(curve, 0.99)).toBe(0);
  });
  it("has round ticks that reach far enough", () => {
    for (const most of [0.013, 0.056, 0.2, 0.73, 1, 42]) {
      const found = ticks(most, 4);
      expect(found[0]).toBe(0);
      expect(found.at(-1)!).toBeGreaterThanOrEqual(most * 0.999);
      expect(found.length).toBeLessThanOrEqual(6);
    }
    expect(ticks(0, 4)).toEqual([0, 1]);
  });
});

describe("labels over time", () => {
  const frame = { width: 400, height: 170, left: 34, right: 14, top: 10, bottom: 22 };
  const bucket = (minute: number, fields: Partial<LabelBucket>): LabelBucket => ({ at: `2026-01-01T12:0${minute}:00Z`, source: "review", good: 0, bad: 0, severe: 0, silent: 0, ...fields });
  it("stands good labels above the line and bad ones below, none over another", () => {
    const drawing = labelDrawing([bucket(0, { good: 4, bad: 1 }), bucket(0, { source: "audit", good: 2, bad: 1, severe: 1 }), bucket(3, { good: 1 })], 60, frame);
    const first = drawing.bars.filter((bar) => bar.x === 34);
    const good = first.filter((bar) => bar.kind === "good");
    const bad = first.filter((bar) => bar.kind === "bad");
    for (const bar of good) expect(bar.y + bar.height).toBeLessThanOrEqual(drawing.zero + 0.02);
    for (const bar of bad) expect(bar.y).toBeGreaterThanOrEqual(drawing.zero - 0.02);
    expect(good[1]!.y + good[1]!.height).toBeCloseTo(good[0]!.y, 1);
    expect(bad[1]!.y).toBeCloseTo(bad[0]!.y + bad[0]!.height, 1);
    expect(bad[1]!.severe).toBe(1);
    expect(drawing.bars.at(-1)!.x).toBeGreaterThan(34);
  });
  it("draws nothing where nothing was said", () => {
    expect(labelDrawing([], 60, frame).bars).toEqual([]);
    expect(labelDrawing([bucket(0, { silent: 3 })], 60, frame).bars).toEqual([]);
  });
});

describe("the interval of a gate", () => {
  it("keeps the order of what it draws", () => {
    const drawing = intervalDrawing(0.01, [-0.02, 0.06], 0.03, 20, 540);
    expect(drawing.low).toBeLessThan(drawing.zero);
    expect(drawing.zero).toBeLessThan(drawing.effect);
    expect(drawing.effect).toBeLessThan(drawing.margin!);
    expect(drawing.margin!).toBeLessThan(drawing.high);
    expect(drawing.zero).toBe(280);
  });
  it("reaches from end to end where nothing is known", () => {
    const drawing = intervalDrawing(0, [-1, 1], null, 20, 540);
    expect([drawing.low, drawing.high, drawing.margin]).toEqual([20, 540, null]);
  });
});

function release(fields: Partial<Release> = {}): Release {
  return {
    id: "rel-1", version: 3, agent: "faq", entry: "faq_new", parts: [], stage: "canary", created_at: "2026-01-01T12:00:00Z", created_by: "rosa",
    since: "2026-01-01T12:00:00Z", share: 0.2, moves: [], hold: null, gate: null, replaces: null, ...fields,
  } as Release;
}
const moved = (...stages: string[]): Release["moves"] => stages.map((what) => ({ what, by: "rosa", why: "", at: "2026-01-01T12:00:00Z" }));
const status = (fields: Partial<Release>, more: Partial<ReleaseStatus> = {}): ReleaseStatus => ({ release: release(fields), is_stated: true, conversations: 0, signals: [], harms: 0, rehearsals: 0, redrafts: [], advice: null, gate: null, ...more }) as ReleaseStatus;

describe("a release", () => {
  it("shows the steps it took, and those it left out", () => {
    const steps = stepsOf(release({ moves: moved("created", "gated", "canary") }));
    expect(steps.map((one) => one.state)).toEqual(["done", "done", "skipped", "now", "to come"]);
  });
  it("shows how far it came before it was taken back", () => {
    const back = release({ stage: "rolled_back", moves: moved("created", "gated", "canary", "rolled_back", "verified") });
    expect(reached(back)).toBe("canary");
    expect(stepsOf(back).map((one) => one.state)).toEqual(["done", "done", "skipped", "done", "to come"]);
  });
  it("is all of the conversations that no canary has", () => {
    const full = release({ id: "rel-0", stage: "full", share: 0 });
    const agent = { agent: "faq", configured: "", is_released: true, full: "rel-0", unreleased: [], releases: [status({}), { ...status({}), release: full }] } as unknown as AgentReleases;
    expect(shareOf(full, agent)).toBe(0.8);
    expect(shareOf(release(), agent)).toBe(0.2);
    expect(shareOf(release({ stage: "shadow" }), agent)).toBe(0);
  });
  it("offers what the server takes", () => {
    expect(ordersFor(status({}))).toEqual(["promote", "hold", "rollBack"]);
    expect(ordersFor(status({ hold: { by: "rosa", why: "", at: "2026-01-01T12:00:00Z" } }))).toEqual(["resume", "rollBack"]);
    expect(ordersFor(status({ stage: "full" }))).toEqual(["hold"]);
    expect(ordersFor(status({ stage: "created" }))).toEqual(["again", "waive", "giveUp"]);
    expect(ordersFor(status({ stage: "created", gate: { verdict: "fail" } as Release["gate"] & object }))).toEqual(["again", "giveUp"]);
    expect(ordersFor(status({ stage: "created" }, { gate: { state: "running" } as ReleaseStatus["gate"] & object }))).toEqual(["stopGate", "giveUp"]);
  });
  it("fills the bar of a run that was decided early", () => {
    expect(doneShare({ done: 9, planned: 720, state: "ended" })).toBe(1);
    expect(doneShare({ done: 180, planned: 720, state: "open" })).toBe(0.25);
    expect(doneShare({ done: 0, planned: 0, state: "open" })).toBe(0);
  });
});

describe("words", () => {
  it("give as many digits as say something", () => {
    expect([0, 0.005, 0.035, 0.2, 0.625, 1].map(percent)).toEqual(["0 %", "0.5 %", "3.5 %", "20 %", "63 %", "100 %"]);
  });
  it("say where a stop holds", () => {
    expect([STOP.place("*", "*"), STOP.place("returns", "*"), STOP.place("*", "sms"), STOP.place("returns", "sms")]).toEqual([
      "everywhere", "on returns, on every channel", "on the channel sms", "on returns × sms",
    ]);
  });
  it("do not claim that anything leaves while nothing does", () => {
    expect(AUTONOMY.slice.threshold(slice({ level: "demoted", threshold: 0.9 }))).toBe("No draft leaves by itself.");
    expect(AUTONOMY.slice.guarantee(slice())).toMatch(/^Nothing is proved yet/);
  });
});

describe("a version's name", () => {
  const release = (fields: Partial<Release>): ReleaseStatus => ({ release: { id: "rel-1", entry: "faq", agent_version: "be7c", is_first: true, ...fields } }) as ReleaseStatus;
  const names = namesOf([{ agent: "faq", releases: [release({}), release({ id: "rel-2", entry: "faq_mended", is_first: false })] } as unknown as AgentReleases]);
  it("is the entry with the agent's version and the id, whichever of the two a draft has", () => {
    expect(inOne(called("be7c", names))).toBe("faq (be7c · rel-1)");
    expect(inOne(called("rel-1", names))).toBe("faq (be7c · rel-1)");
    expect(inOne(called("rel-2", names))).toBe("faq_mended (be7c · rel-2)");
  });
  it("says another version than was released as it is, and what no release has", () => {
    expect(inOne(called("rel-2~v9", names))).toBe("faq_mended (rel-2~v9)");
    expect(inOne(called("v7", names))).toBe("v7");
  });
});

describe("words of autonomy", () => {
  it("do not deny what leaves before anything is counted", () => {
    const early = slice({ level: "auto", thresholds_wait_for: 3, audit_rate: 0.05, lately: 27, lately_alone: 26 });
    expect(AUTONOMY.slice.audits(early)).toContain("5 %");
    expect(AUTONOMY.slice.audits(early)).not.toContain("nothing leaves");
    expect(AUTONOMY.slice.detector(early)).toContain("3 more drafts");
    expect(AUTONOMY.cell.labels(early)).toBe("labels count after 3 more drafts");
    expect(AUTONOMY.cell.alone(slice({ level: "auto", lately: 3 }))).toBe("0 of 3 alone");
    expect(AUTONOMY.cell.alone(slice({ level: "probation" }))).toBe("no draft yet");
  });
});

describe("who may be where", () => {
  const lead = (scope: string): boolean => ["holds:read", "turns:read", "autonomy:read"].includes(scope);
  it("opens the story of a turn without the ledger, and no screen without its scope", () => {
    expect(isOpen({ screen: "ledger", id: "turn-1" }, lead)).toBe(true);
    expect(isOpen({ screen: "ledger" }, lead)).toBe(false);
    expect(isOpen({ screen: "people" }, lead)).toBe(false);
    expect(isOpen({ screen: "hold", id: "h" }, lead)).toBe(true);
    expect(firstOpen(lead)).toEqual({ screen: "queue" });
    expect(firstOpen((scope) => scope === "metrics:read")).toEqual({ screen: "health" });
  });
});
