/** Calls of the autonomy screen. */
import { ask } from "./calls";
import type { components } from "./schema";

type Schemas = components["schemas"];
export type Standing = Schemas["Standing"];
export type SliceStatus = Schemas["SliceStatus"];
export type SliceStory = Schemas["SliceStory"];
export type CurvePoint = Schemas["CurvePoint"];
export type LabelBucket = Schemas["LabelBucket"];
export type LabelSource = LabelBucket["source"];
export type SliceMove = Schemas["SliceMove"];
export type Level = SliceStatus["level"];

type Of = { readonly topic: string; readonly channel: string; readonly release: string };

const query = (fields: Record<string, string | undefined>): string =>
  new URLSearchParams(Object.entries(fields).filter((one): one is [string, string] => one[1] !== undefined)).toString();

export const autonomyCalls = {
  standing: () => ask<Standing>("GET", "autonomy"),
  slice: (topic: string, channel: string, release?: string) => ask<SliceStory>("GET", `autonomy/slice?${query({ topic, channel, release })}`),
  confirm: (of: Of, threshold: number) => ask<Standing>("POST", "autonomy/confirm", { ...of, threshold }),
  decline: (of: Of) => ask<Standing>("POST", "autonomy/decline", of),
  restart: (of: Of) => ask<Standing>("POST", "autonomy/restart", of),
};
