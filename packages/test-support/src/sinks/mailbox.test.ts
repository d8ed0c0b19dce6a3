import { expect, test } from 'vitest'
import { createMailbox } from './mailbox.js'
import type { ReceivedMail } from './parse-received-mail.js'

function createMail(to: string, bytes = 1): ReceivedMail {
  return {
    ...{ from: '', to: [to], subject: undefined, text: undefined, html: undefined, headers: {} },
    ...{ messageId: undefined, raw: Buffer.alloc(bytes), at: 0, answered: true },
  }
}

test('keeps as many mails as it may, the newest, for each recipient too', () => {
  const mailbox = createMailbox({ mails: 2, bytes: 100 })
  for (const to of ['ada@example.com', 'Bob@example.com', 'bob@example.com']) mailbox.add(createMail(to))
  expect(mailbox.received.map(({ to }) => to)).toEqual([['Bob@example.com'], ['bob@example.com']])
  expect(mailbox.receivedBy('ada@example.com')).toEqual([])
  expect(mailbox.counts()).toEqual(new Map([['bob@example.com', 2]]))
})

test('keeps as many bytes as it may, and the newest mail whatever its size', () => {
  const mailbox = createMailbox({ mails: 100, bytes: 10 })
  for (const bytes of [5, 4, 3]) mailbox.add(createMail('ada@example.com', bytes))
  expect(mailbox.received.map(({ raw }) => raw.length)).toEqual([4, 3])
  mailbox.add(createMail('ada@example.com', 11))
  expect(mailbox.receivedBy('ada@example.com').map(({ raw }) => raw.length)).toEqual([11])
})
