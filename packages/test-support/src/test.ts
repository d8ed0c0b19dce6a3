import { test as base, type TestAPI } from 'vitest'
import { watchHandles } from './open-handles.js'
import { closeSink } from './sinks/close-sink.js'
import { createPushService, type PushService } from './sinks/push-service.js'
import { createSmtpSink, type SmtpSink } from './sinks/smtp-sink.js'
import { createTeardown, type Teardown } from './teardown.js'
import { createTestDatabase, type TestDatabase } from './test-database.js'
import { createTestVhost, type TestVhost } from './test-vhost.js'
import { createWorkerSupervisor, type WorkerSupervisor } from './worker-supervisor.js'

export interface TestFixtures {
  /** A vhost of the test's own. The test fails if it leaves a connection to it open. */
  vhost: TestVhost
  /** An empty database of the test's own. The test fails if it leaves a connection to it open. */
  database: TestDatabase
  /** A push service of the test's own. The test fails if it leaves a connection to it open. */
  pushService: PushService
  /** A mail server of the test's own that keeps what it gets. The test fails if it leaves a connection to it open. */
  smtpSink: SmtpSink
  /** Starts worker processes. The test fails if one must be killed that it has not killed itself. */
  workers: WorkerSupervisor
  /**
   * Registers what to close after the test, last first, before anything is checked for leaks. `onTestFinished` runs
   * after the checks, which is too late.
   */
  cleanUp: (release: () => Promise<unknown> | unknown) => void
}

interface AllFixtures extends TestFixtures {
  teardown: Teardown
}

/**
 * Vitest's `test` with a broker, a database, worker processes and the services they send to. Each is made only for the
 * tests that name it, and removed afterwards. Every test, concurrent ones excepted, also fails if it leaves timers or
 * TCP sockets open.
 */
export const test: TestAPI<TestFixtures> = base.extend<AllFixtures>({
  teardown: [
    async ({ task }, use) => {
      const teardown = createTeardown()
      // What concurrent tests open cannot be told apart.
      if (!task.concurrent) {
        const handles = watchHandles()
        teardown.add('handles', () => handles.assertAllClosed())
      }
      await use(teardown)
      await teardown.run()
    },
    { auto: true },
  ],
  cleanUp: async ({ teardown }, use) => {
    await use((release) => teardown.add('test', release))
  },
  workers: async ({ teardown }, use) => {
    const workers = createWorkerSupervisor()
    teardown.add('workers', () => workers.killLeftovers())
    await use(workers)
  },
  vhost: async ({ teardown }, use) => {
    const vhost = await createTestVhost()
    teardown.add('services', () => vhost.drop())
    await use(vhost)
  },
  database: async ({ teardown }, use) => {
    const database = await createTestDatabase()
    teardown.add('services', () => database.drop())
    await use(database)
  },
  pushService: async ({ teardown }, use) => {
    const pushService = await createPushService()
    teardown.add('services', () => closeSink('push service', pushService))
    await use(pushService)
  },
  smtpSink: async ({ teardown }, use) => {
    const smtpSink = await createSmtpSink()
    teardown.add('services', () => closeSink('SMTP sink', smtpSink))
    await use(smtpSink)
  },
})
