import { setMaxListeners } from 'node:events'
import { test } from '@mono/test-support'
import { createSmtpSink, type SmtpSinkOptions } from '@mono/test-support/sinks'
import { describe, expect } from 'vitest'
import { parseSmtpUrl } from '../src/smtp/parse-smtp-url.js'
import { createSmtpProvider } from '../src/smtp/smtp-provider.js'

type CleanUp = (release: () => Promise<unknown> | unknown) => void

const { signal } = new AbortController()
setMaxListeners(0, signal)

async function setUp(cleanUp: CleanUp, options: SmtpSinkOptions, parameters = '') {
  const sink = await createSmtpSink(options)
  cleanUp(() => sink.close())
  const provider = createSmtpProvider(parseSmtpUrl(sink.url + parameters))
  cleanUp(() => provider.close())
  const send = (index: number) => {
    const address = `user-${index}@example.com`
    const mail = {
      from: { address: 'mono@example.com' },
      to: { address },
      subject: 'Hello',
      text: 'Good morning',
      messageId: `<${index}@example.com>`,
    }
    return provider.send(mail, { from: 'mono@example.com', to: [address] }, signal)
  }
  const sendMany = (count: number) => Promise.all(Array.from({ length: count }, (_, index) => send(index)))
  const countEach = () => [...sink.counts().values()]
  return { sink, provider, sendMany, countEach }
}

const once = (count: number) => Array.from({ length: count }, () => 1)

describe('every mail is taken once, and none fails', () => {
  test('by a server that has three connections for us, and keeps a fourth out', async ({ cleanUp }) => {
    const { sink, provider, sendMany, countEach } = await setUp(cleanUp, { maxClients: 3 })
    sink.answer('all', 'delay 5')
    await sendMany(120)
    expect(countEach()).toEqual(once(120))
    expect(provider.concurrency).toBeLessThanOrEqual(3)
  })

  test('by a server that closes each connection after three mails', async ({ cleanUp }) => {
    const limitMails = ({ mails }: { mails: number }) => (mails >= 3 ? '421 4.7.0 Closing the connection' : undefined)
    const { provider, sendMany, countEach } = await setUp(cleanUp, { limitMails })
    await sendMany(60)
    expect(countEach()).toEqual(once(60))
    expect(provider.concurrency).toBe(10)
  })

  test('by a server that takes ten mails in two seconds', async ({ cleanUp }) => {
    let windowEnds = 0
    let taken = 0
    const limitMails = () => {
      if (performance.now() > windowEnds) {
        windowEnds = performance.now() + 2000
        taken = 0
      }
      taken += 1
      return taken > 10 ? '450 4.7.1 Error: too much mail from 127.0.0.1' : undefined
    }
    const { provider, sendMany, countEach } = await setUp(cleanUp, { limitMails })
    await sendMany(30)
    expect(countEach()).toEqual(once(30))
    expect(provider.concurrency).toBeLessThan(10)
  })

  test('over connections that are not used for more than maxMessages', async ({ cleanUp }) => {
    let most = 0
    const limitMails = ({ mails }: { mails: number }) => {
      most = Math.max(most, mails + 1)
      return undefined
    }
    const { sendMany } = await setUp(cleanUp, { limitMails }, '?maxConnections=1&maxMessages=4')
    await sendMany(10)
    expect(most).toBe(4)
  })
})

test('a server that has no connection for us at all cannot be used', async ({ cleanUp }) => {
  const { sink, sendMany } = await setUp(cleanUp, {})
  sink.answer('all', 'greeting 421')
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => sendMany(1)))
  const reasons = results.map((result) => result.status === 'rejected' && result.reason)
  expect(reasons).toEqual(reasons.map(() => expect.objectContaining({ outcome: 'provider', code: 'SMTP_421' })))
})
