import { svelte } from "@sveltejs/vite-plugin-svelte";
import { defineConfig } from "vitest/config";

// Where `understudy serve` or `./dev demo` runs while somebody works on the console with `./dev console`.
const server = process.env.UNDERSTUDY_URL ?? "http://127.0.0.1:8080";

export default defineConfig({
  base: "/console/",
  plugins: [svelte()],
  build: {
    outDir: "../src/understudy/web/console_page",
    emptyOutDir: true,
    assetsInlineLimit: 0, // nothing as data: in the page; its policy lets only files of this server in
    cssCodeSplit: false,
    modulePreload: { polyfill: false },
    target: "es2022",
    reportCompressedSize: false,
  },
  server: { proxy: { "/v1": { target: server, changeOrigin: false } } },
  test: { include: ["tests/**/*.test.ts"] },
});
