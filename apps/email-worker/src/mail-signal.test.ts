import { expect, test } from 'vitest'
import { MailSignal } from './mail-signal.js'

function setUp() {
  const [giveUp, withdraw] = [new AbortController(), new AbortController()]
  return { giveUp, withdraw, mail: new MailSignal(giveUp.signal, withdraw.signal) }
}

test('a mail that was not handed over is withdrawn at once', () => {
  const { withdraw, mail } = setUp()
  expect(mail.signal.aborted).toBe(false)
  withdraw.abort('goes by another')
  expect(mail.signal.reason).toBe('goes by another')
})

test('a mail that was handed over stays, until it is known that it was not taken', () => {
  const { withdraw, mail } = setUp()
  mail.handOver()
  withdraw.abort('goes by another')
  expect(mail.signal.aborted).toBe(false)
  mail.takeBack()
  expect(mail.signal.reason).toBe('goes by another')
})

test('a mail is given up in any case when it is to be', () => {
  const { giveUp, mail } = setUp()
  mail.handOver()
  giveUp.abort('stopping')
  expect(mail.signal.reason).toBe('stopping')
})

test('a mail is withdrawn from the beginning if that was said before', () => {
  const mail = new MailSignal(new AbortController().signal, AbortSignal.abort('goes by another'))
  expect(mail.signal.reason).toBe('goes by another')
})

test('once it has ended nothing is heeded any more', () => {
  const { withdraw, mail } = setUp()
  mail.end()
  withdraw.abort()
  expect(mail.signal.aborted).toBe(false)
})
