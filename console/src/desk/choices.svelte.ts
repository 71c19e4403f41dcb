/** What a reviewer makes of the actions of a hold, kept while the page is open, so that a verdict that is taken back finds it again. */
import { SvelteMap } from "svelte/reactivity";
import type { Choice } from "./choosing";

/** By the action's id, which belongs to one hold. */
export const choices = new SvelteMap<string, Choice>();
