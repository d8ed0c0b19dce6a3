import { globalAgent } from 'node:https'
import { test } from '@mono/test-support'
import { createMailgunService, type MailgunMail, type MailgunService } from '@mono/test-support/sinks'
import Mailgun from 'mailgun.js'
import { expect } from 'vitest'
import type { Mail } from '../src/email-provider.js'
import { createMailgunProvider } from '../src/mailgun/mailgun-provider.js'

/** The values of a request by their names. */
type Wire = Record<string, unknown>

/** The two differ here, and for these reasons. Both values are as they are on the wire; undefined: not there. */
const differences: { at: string; ours: unknown; theirs: unknown; why: string }[] = [
  {
    at: 'file name',
    ours: 'message.mime',
    theirs: 'MimeMessage',
    why: 'any name makes the part a file; Mailgun’s examples have an ending',
  },
  {
    at: 'file type',
    ours: 'message/rfc822',
    theirs: 'application/octet-stream',
    why: 'it is a mail (RFC 2046, section 5.2.1)',
  },
  {
    at: 'header accept',
    ours: undefined,
    theirs: 'application/json, text/plain, */*',
    why: 'Mailgun’s answers have one form only, and it is looked at whatever it is',
  },
  {
    at: 'header accept-encoding',
    ours: undefined,
    theirs: 'gzip, compress, deflate, br',
    why: 'an answer of a hundred bytes is not worth it',
  },
  {
    at: 'header user-agent',
    ours: undefined,
    theirs: expect.stringMatching(/^axios\//),
    why: 'nobody needs to know what sends',
  },
]

const mail: Mail = {
  from: { name: 'Jürgen', address: 'mono@example.com' },
  to: { address: 'ada@example.com' },
  replyTo: { address: 'help@example.com' },
  subject: 'Grüße ✓',
  text: 'Grüße, 你好\n.\nFrom here',
  html: '<p>Grüße, 你好</p>',
  messageId: '<1@example.com>',
  ids: { tenantId: 42, messageId: 'Bestellung 7 ✓; name="to"', recipient: 'ada@example.com' },
}

test('what reaches Mailgun differs from what mailgun.js sends where it is meant to, and nowhere else', async ({
  cleanUp,
}) => {
  const service = await createMailgunService()
  cleanUp(() => service.close())
  const ours = await sendOurs(service, cleanUp)
  const theirs = await sendTheirs(service, ours)
  const found = findDifferences(toWire(ours), toWire(theirs))
  expect(found).toEqual(differences.map(({ why: _why, ...values }) => values))
})

async function sendOurs(service: MailgunService, cleanUp: (release: () => unknown) => void): Promise<MailgunMail> {
  const { apiKey, domain, origin, ca } = service
  const provider = createMailgunProvider({ apiKey, domain, origin }, { ca })
  cleanUp(() => provider.close())
  await provider.send(mail, { from: mail.from.address, to: [mail.to.address] }, new AbortController().signal)
  return lastOf(service)
}

/** The same mail, byte by byte: what makes it is no part of `mailgun.js`. */
async function sendTheirs(service: MailgunService, { raw }: MailgunMail): Promise<MailgunMail> {
  const { apiKey: key, domain, origin: url, ca } = service
  // Its options have no place for an authority.
  globalAgent.options.ca = ca
  try {
    const client = new Mailgun(FormData).client({ username: 'api', key, url })
    await client.messages.create(domain, {
      to: 'ada@example.com',
      message: raw,
      'o:tracking': 'no',
      'v:mono-tenant': '42',
      'v:mono-message': 'Bestellung 7 ✓; name="to"',
      'v:mono-recipient': 'b5fc85e55755f9e0d030a10ab4429b6b2944855f9a0d60077fe832becbc41d72',
    })
  } finally {
    delete globalAgent.options.ca
    globalAgent.destroy()
  }
  return lastOf(service)
}

function lastOf({ received, attempts }: MailgunService): MailgunMail {
  const last = received.at(-1)
  if (!last || received.length !== attempts.length)
    throw new Error(`Expected a mail, found ${JSON.stringify(attempts)}`)
  return last
}

/** Leaves out the headers that the version of HTTP and the connection bring with them, and the boundary. */
function toWire({ raw, fields, file, requestHeaders }: MailgunMail): Wire {
  const hop = /^(:.*|host|connection|content-length|transfer-encoding)$/
  const headers = Object.entries(requestHeaders).filter(([name]) => !hop.test(name))
  return Object.fromEntries([
    ['message', raw.toString('base64')],
    ['file name', file.name],
    ['file type', file.type],
    ...Object.entries(fields).map(([name, value]) => [`field ${name}`, value]),
    ...headers.map(([name, value]) => [`header ${name}`, String(value).replace(/boundary=.*/, 'boundary=…')]),
  ])
}

function findDifferences(ours: Wire, theirs: Wire): Omit<(typeof differences)[number], 'why'>[] {
  return [...new Set([...Object.keys(ours), ...Object.keys(theirs)])]
    .filter((at) => ours[at] !== theirs[at])
    .sort()
    .map((at) => ({ at, ours: ours[at], theirs: theirs[at] }))
}
