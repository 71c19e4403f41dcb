/** Calls of the reviewers' desk: views, keys, canned replies, who is there, verdicts taken back and given together. */
import { ask } from "./calls";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Desk = Schemas["DeskOut"];
export type View = Schemas["ViewOut"];
export type ViewBody = Schemas["ViewBody"];
export type Shows = Required<Schemas["Shows"]>;
export type Canned = Schemas["CannedOut"];
export type CannedBody = Schemas["CannedBody"];
export type Preferences = Schemas["Preferences"];
export type Person = Schemas["Person"];
export type History = Schemas["History"];
export type TakenBack = Schemas["TakenBack"];
export type ApprovedAlike = Schemas["ApprovedAlike"];

const at = encodeURIComponent;

export const deskApi = {
  read: () => ask<Desk>("GET", "desk"),
  addView: (view: ViewBody) => ask<View>("POST", "desk/views", view),
  changeView: (id: string, view: ViewBody) => ask<View>("PUT", `desk/views/${at(id)}`, view),
  removeView: (id: string) => ask<void>("DELETE", `desk/views/${at(id)}`),
  prefer: (preferences: Preferences) => ask<Preferences>("PUT", "desk/preferences", preferences),
  addCanned: (reply: CannedBody) => ask<Canned>("POST", "desk/canned", reply),
  changeCanned: (id: string, reply: CannedBody) => ask<Canned>("PUT", `desk/canned/${at(id)}`, reply),
  removeCanned: (id: string) => ask<void>("DELETE", `desk/canned/${at(id)}`),
  here: (hold: string | null) => ask<Schemas["PresentOut"]>("POST", "desk/here", { hold }),
  takeBack: (hold: string) => ask<TakenBack>("DELETE", `holds/${at(hold)}/verdict`),
  approveAlike: (holds: readonly { id: string; version: number }[], undo_s: number) =>
    ask<ApprovedAlike>("POST", "holds/approve_alike", { holds, undo_s }),
  history: (conversation: string) => ask<History>("GET", `conversations/${at(conversation)}/history`),
};
