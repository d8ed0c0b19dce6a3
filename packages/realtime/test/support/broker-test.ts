import { test as base, findRealtime, type TestFixtures } from '@mono/test-support'
import type { TestAPI } from 'vitest'

export const realtime = findRealtime()
if (!realtime) process.stdout.write('skipped: REALTIME_URL and REALTIME_KEY_FILE are not set beside RABBITMQ_URL\n')

/** Skipped where the broker was given without what browsers need. */
export const test = base.skipIf(!realtime) as TestAPI<TestFixtures>
