/** Calls of the releases screen: releases, their gates, and runs of suites. */
import { ask } from "./calls";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type AgentReleases = Schemas["AgentReleases"];
export type ReleaseStatus = Schemas["ReleaseStatus"];
export type Release = Schemas["Release"];
export type Stage = Release["stage"];
export type GateDetail = Schemas["GateDetail"];
export type GateResult = GateDetail["result"];
export type GateProgress = NonNullable<ReleaseStatus["gate"]>;
export type Verdict = GateResult["verdict"];
export type Flip = GateDetail["cases"][number];
export type FlipSide = Flip["baseline"];
export type SignalSeen = ReleaseStatus["signals"][number];
export type RunProgress = Schemas["RunProgress"];
export type SuiteListed = Schemas["SuiteOut"];
export type TrialPage = Schemas["TrialPage"];
export type Trial = TrialPage["items"][number];
export type Move = Release["moves"][number];

const at = encodeURIComponent;
const seen = (release: Release): Record<string, string> => ({ "if-match": `"${release.version}"` });
const order = (release: Release, what: string, body?: unknown) => ask<unknown>("POST", `releases/${at(release.id)}/${what}`, body, seen(release));

export const releaseCalls = {
  agents: () => ask<AgentReleases[]>("GET", "releases"),
  release: (id: string) => ask<ReleaseStatus>("GET", `releases/${at(id)}`),
  gate: (id: string) => ask<GateDetail>("GET", `releases/${at(id)}/gate`),
  create: (entry: string, why: string) => ask<unknown>("POST", "releases", { entry, why }),
  promote: (release: Release, to: Stage, share: number | null, why: string) => order(release, "promote", { to, ...(share === null ? {} : { share }), why }),
  hold: (release: Release, why: string) => order(release, "hold", { why }),
  resume: (release: Release) => order(release, "resume"),
  giveUp: (release: Release, why: string) => order(release, "give-up", { why }),
  rollBack: (release: Release, why: string) => order(release, "rollback", { why }),
  waive: (release: Release, why: string) => order(release, "waive", { why }),
  stopGate: (release: Release) => ask<unknown>("DELETE", `releases/${at(release.id)}/gate`),
  suites: () => ask<SuiteListed[]>("GET", "evaluations/suites"),
  runSuite: (suite: string, release: string) => ask<RunProgress>("POST", "evaluations/runs", { suite, release }, { "idempotency-key": crypto.randomUUID() }),
  runs: () => ask<RunProgress[]>("GET", "evaluations/runs"),
  run: (id: string) => ask<RunProgress>("GET", `evaluations/runs/${at(id)}`),
  trials: (id: string, cursor: number) => ask<TrialPage>("GET", `evaluations/runs/${at(id)}/trials?cursor=${cursor}&limit=200`),
  giveUpRun: (id: string) => ask<RunProgress>("DELETE", `evaluations/runs/${at(id)}`),
};
