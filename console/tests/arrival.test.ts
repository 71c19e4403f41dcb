import { describe, expect, it } from "vitest";
import { refusalOf, wayByProvider, withoutRefusal } from "../src/text/arrival";

describe("how somebody arrives", () => {
  it("reads the reason and leaves it out of the address", () => {
    expect(refusalOf("?refused=no-role")).toBe("no-role");
    expect(refusalOf("")).toBeNull();
    expect(withoutRefusal("/console/", "?refused=no-role", "#/hold/h-1")).toBe("/console/#/hold/h-1");
    expect(withoutRefusal("/console/", "?a=1&refused=x", "")).toBe("/console/?a=1");
  });

  it("keeps the place over the way by the provider", () => {
    expect(wayByProvider("#/hold/h%201?x=1&y=2")).toBe("/v1/session/oidc?to=%23%2Fhold%2Fh%25201%3Fx%3D1%26y%3D2");
    expect(wayByProvider("")).toBe("/v1/session/oidc");
    expect(wayByProvider("#elsewhere")).toBe("/v1/session/oidc");
  });
});
