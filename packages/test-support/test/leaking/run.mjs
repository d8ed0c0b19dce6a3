// Runs the leaking tests in a vitest of their own and writes what became of each to standard output, as JSON.
import { fileURLToPath } from 'node:url'
import { startVitest } from 'vitest/node'

const root = fileURLToPath(new URL('.', import.meta.url))
const vitest = await startVitest(
  'test',
  [],
  { root, watch: false, reporters: [{}], testTimeout: 60_000, hookTimeout: 60_000 },
  { test: { include: ['leaks.ts'] } },
)
const outcomes = vitest.state.getTestModules().flatMap((module) =>
  [...module.children.allTests()].map((test) => ({
    title: test.name,
    errors: (test.result().errors ?? []).map((error) => error.message),
    meta: test.meta(),
  })),
)
process.stdout.write(`${JSON.stringify(outcomes)}\n`)
await vitest.close()
process.exit(0)
