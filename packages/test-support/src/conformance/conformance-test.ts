import type { TestAPI } from 'vitest'
import { type TestFixtures, test } from '../test.js'
import type { FarEnd, WorkerUnderTest } from './worker-under-test.js'

export interface ConformanceFixtures extends TestFixtures {
  /** Of the test's own. It tells the worker nothing if the worker has none. */
  farEnd: FarEnd
}

/** `test` with the far end of a worker. */
export function conformanceTest(worker: WorkerUnderTest): TestAPI<ConformanceFixtures> {
  return test.extend<{ farEnd: FarEnd }>({
    farEnd: async ({ cleanUp }, use) => {
      await use((await worker.openFarEnd?.({ cleanUp })) ?? { env: {} })
    },
  }) as TestAPI<ConformanceFixtures>
}
