/** A topic's id as people read it. */
export const topicWords = (topic: string): string => topic.replaceAll("_", " ");
