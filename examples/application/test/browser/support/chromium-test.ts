import { test as base, findRealtime, type Realtime, type TestFixtures } from '@mono/test-support'
import { hasChromium, launchChromium } from '@mono/test-support/browser'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, type TestAPI } from 'vitest'
import { openStage, type Stage, type StageOptions } from './stage.js'

const realtime = findRealtime()
const obstacle = hasChromium()
  ? realtime === undefined && 'the broker was given without REALTIME_URL and REALTIME_KEY_FILE'
  : 'Chromium is not installed'
if (obstacle) process.stdout.write(`skipped: the page in Chromium, because ${obstacle}\n`)

let browser: Browser

interface PageFixtures {
  /** Opens the application with its workers. */
  stage(options?: StageOptions): Promise<Stage>
}

/** With the application, its workers, and windows of Chromium on its page. */
export const test: TestAPI<TestFixtures & PageFixtures> = base.extend<PageFixtures>({
  stage: async ({ vhost, database, workers, pushService, smtpSink, cleanUp }, use) => {
    const services = { vhost, database, workers, pushService, smtpSink, cleanUp }
    await use((options) => openStage(services, { browser, realtime: realtime as Realtime }, options))
  },
})

/** Tests of the page in Chromium; they are skipped, with the reason in their names, where it is not to be had. */
export function describePage(title: string, define: () => void): void {
  const name = `${title}${obstacle ? ` (not tried here: ${obstacle})` : ''}`
  describe.skipIf(obstacle)(name, { timeout: 120_000 }, () => {
    beforeAll(async () => {
      browser = await launchChromium()
    }, 60_000)
    afterAll(() => browser?.close())
    define()
  })
}
