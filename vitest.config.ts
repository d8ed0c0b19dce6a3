/**
 * Found by every package's tests on the way up. Vitest gives linked packages to Vite, which knows no CommonJS; the built
 * packages of the client are left to Node.js.
 */
export default { test: { server: { deps: { external: [/\/packages\/[^/]+\/dist\//] } } } }
