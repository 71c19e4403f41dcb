/** How somebody arrives at the page: why the identity provider's way let nobody in, and where to go once somebody is. */
const REFUSED = "refused";

/** The reason in the page's address, if it has one. */
export const refusalOf = (search: string): string | null => new URLSearchParams(search).get(REFUSED);

/** The page's address without it, for the address bar: a reason told once is not told again. */
export function withoutRefusal(path: string, search: string, hash: string): string {
  const rest = new URLSearchParams(search);
  rest.delete(REFUSED);
  return `${path}${rest.size ? `?${rest}` : ""}${hash}`;
}

/** The way by the provider, and back to the same place in the console. */
export const wayByProvider = (hash: string): string => `/v1/session/oidc${hash.startsWith("#/") ? `?to=${encodeURIComponent(hash)}` : ""}`;
