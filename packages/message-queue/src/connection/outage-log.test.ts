import { createRecordingLogger } from '@mono/test-support'
import { expect, test } from 'vitest'
import { OutageLog } from './outage-log.js'

const away = new Error('connect ECONNREFUSED 127.0.0.1:5672')
const refused = new Error('Handshake terminated by server: 403 (ACCESS-REFUSED)')

function createOutageLog() {
  const { lines, ...logger } = createRecordingLogger()
  const outage = new OutageLog(logger, { begun: 'away', over: 'back' })
  return { outage, logged: () => lines.filter(({ level }) => level !== 'debug').map(({ message }) => message) }
}

test('an outage is one line when it begins and one when it is over', () => {
  const { outage, logged } = createOutageLog()
  outage.over()
  for (let attempt = 0; attempt < 3; attempt += 1) outage.failed(away)
  outage.over()
  outage.over()
  outage.failed(away)
  expect(logged()).toEqual(['away', 'back', 'away'])
})

test('a broker that answers at last and refuses is one line more', () => {
  const { outage, logged } = createOutageLog()
  for (const error of [away, refused, away, refused]) outage.failed(error)
  expect(logged()).toEqual(['away', 'away'])
})
