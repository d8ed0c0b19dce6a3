import { createRecordingLogger } from '@mono/test-support'
import { expect, test } from 'vitest'
import { createSettingsWatch } from './settings-watch.js'

const origin = 'https://api.push.example.com'
const other = 'https://api.sandbox.push.example.com'

function setUp() {
  const logger = createRecordingLogger()
  return { logger, watch: createSettingsWatch({ logger }) }
}

test.each([
  [403, 'InvalidProviderToken', /APNS_KEY, APNS_KEY_ID and APNS_TEAM_ID, and the clock/],
  [403, 'BadEnvironmentKeyInToken', /the other environment only/],
  [403, 'ExpiredProviderToken', /check the clock/],
  [400, 'BadTopic', /APNS_TOPIC/],
  [404, 'BadPath', /APNS_ORIGIN and APNS_SANDBOX_ORIGIN/],
  [403, undefined, /APNS_KEY.*APNS_TOPIC.*APNS_ORIGIN/],
  [403, 'toString', /APNS_KEY.*APNS_TOPIC.*APNS_ORIGIN/],
])('%i %s is an error that says what to do', (status, reason, advice) => {
  const { logger, watch } = setUp()
  watch.refused(origin, { status, reason })
  expect(logger.lines).toMatchObject([
    { level: 'error', message: expect.stringMatching(advice), data: { origin, status, reason: reason ?? '' } },
  ])
})

test('is told once for each reason and origin, until a notification was accepted', () => {
  const { logger, watch } = setUp()
  const refuse = (at: string, reason: string) => watch.refused(at, { status: 403, reason })
  for (const reason of ['InvalidProviderToken', 'InvalidProviderToken', 'Forbidden']) refuse(origin, reason)
  refuse(other, 'InvalidProviderToken')
  watch.accepted(other)
  refuse(origin, 'Forbidden')
  expect(logger.lines).toHaveLength(3)
  watch.accepted(origin)
  refuse(origin, 'Forbidden')
  expect(logger.lines).toHaveLength(4)
})
