/** What the screens Quality and Insights ask the server. */
import { ask } from "./calls";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Quality = Schemas["Quality"];
export type Figures = Schemas["Figures"];
export type Share = Schemas["Share"];
export type Wait = Schemas["Wait"];
export type Change = Schemas["Change"];
export type Csat = Schemas["Csat"];
export type Resolution = Schemas["Resolution"];
export type WinBackFigures = Schemas["WinBackFigures"];
export type Insights = Schemas["Insights"];
export type TurnsBehind = Schemas["TurnsBehind"];
export type TurnBehind = Schemas["TurnBehind"];
export type Reviewers = Schemas["ReviewersOut"];
export type Reviewer = Reviewers["items"][number];

/** What is looked at: `undefined` is everything. An empty topic is one of its own: turns that have none. */
export type Asked = Readonly<Record<string, string | undefined>>;

function query(asked: Asked): string {
  const given = Object.entries(asked).filter((one): one is [string, string] => one[1] !== undefined);
  return given.length ? `?${new URLSearchParams(given).toString()}` : "";
}

export const qualityApi = {
  quality: (asked: Asked) => ask<Quality>("GET", `quality${query(asked)}`),
  csat: (asked: Asked) => ask<Csat>("GET", `quality/csat${query(asked)}`),
  resolution: (asked: Asked) => ask<Resolution>("GET", `quality/resolution${query(asked)}`),
  winBack: (asked: Asked) => ask<WinBackFigures>("GET", `quality/win_back${query(asked)}`),
  insights: (asked: Asked) => ask<Insights>("GET", `insights${query(asked)}`),
  behind: (asked: Asked) => ask<TurnsBehind>("GET", `insights/turns${query(asked)}`),
  reviewers: () => ask<Reviewers>("GET", "reviewers"),
};
