/** Gives an order to the server and tells the reader what became of it; the same words for every screen that gives orders. */
import { Refused } from "./api/calls";
import { notices } from "./state.svelte";

/** What the server answered, or null where it refused or said nothing; the reader is told either way. */
export async function ordered<T>(act: () => Promise<T>, done: string, says: { notDone(why: string): string; readonly unknown: string }): Promise<T | null> {
  try {
    const answer = await act();
    notices.say("good", done);
    return answer;
  } catch (error) {
    notices.say("bad", error instanceof Refused ? says.notDone(error.message) : says.unknown);
    return null;
  }
}
