import { createRecordingLogger } from '@mono/test-support'
import { expect, onTestFinished, test, vi } from 'vitest'
import { type Mail, type PacedProvider, SendError, type SendReceipt } from '../email-provider.js'
import { createSender } from './create-sender.js'
import type { ProviderName } from './named-provider.js'

const mail: Mail = {
  from: { address: 'mono@example.com' },
  to: { address: 'ada@example.com' },
  subject: 's',
  messageId: '<1@example.com>',
}
const taken: SendReceipt = { providerId: 'q1', accepted: ['ada@example.com'], rejected: [] }

function setUp(names: readonly ProviderName[], answers: (SendReceipt | Error)[]) {
  let probes = 0
  const createFake = (): PacedProvider => ({
    tookAt: 7,
    gotAt: 7,
    concurrency: 10,
    pausedForMs: 0,
    async send() {
      const answer = answers.shift()
      if (answer === undefined || answer instanceof Error) throw answer
      return answer
    },
    async probe() {
      probes += 1
    },
    async close() {},
  })
  const sender = createSender(
    names.map((name) => ({ name, provider: createFake() })),
    createRecordingLogger(),
  )
  const read = (name: string) => sender.metrics.find((metric) => metric.name === name)?.read()
  const countsOf = (provider: string) => {
    const samples = read('mono_email_mails_total')
    if (typeof samples !== 'object') throw new TypeError('Expected samples')
    const ofOne = samples.filter(({ labels }) => labels.provider === provider)
    return Object.fromEntries(ofOne.map(({ labels, value }) => [labels.outcome, value]))
  }
  const send = () =>
    sender.provider.send(mail, { from: 'mono@example.com', to: ['ada@example.com'] }, new AbortController().signal)
  return { sender, send, read, countsOf, countProbes: () => probes }
}

const nothing = { sent: 0, refused: 0, transient: 0, provider: 0, unknown: 0, moved: 0 }

test('an only provider is called by its name, and asked whatever it has said before', async () => {
  const away = new SendError('No route', { outcome: 'provider', code: 'X' })
  const rejected = [{ address: 'ada@example.com', code: 'SMTP_550', permanent: true }]
  const refused: SendReceipt = { providerId: '', accepted: [], rejected }
  const bug = new TypeError('bug')
  const { sender, send, countsOf, countProbes } = setUp(['smtp'], [away, away, taken, refused, bug])
  expect(sender.name).toBe('smtp')
  for (const _ of [1, 2]) {
    await expect(send()).rejects.toMatchObject({
      message: 'No route',
      outcome: 'provider',
      code: 'X',
      provider: 'smtp',
    })
  }
  expect(await send()).toEqual({ ...taken, provider: 'smtp' })
  expect(await send()).toEqual({ ...refused, provider: 'smtp' })
  await expect(send()).rejects.toBe(bug)
  expect(countsOf('smtp')).toEqual({ ...nothing, provider: 2, sent: 1, refused: 1 })
  expect(sender.provider.tookAt).toBe(7)
  await sender.provider.probe()
  expect(countProbes()).toBe(1)
  expect(sender.metrics.map(({ name }) => name)).toEqual(['mono_email_mails_total'])
})

test('of several, the metrics tell which is in use and how long one is away', async () => {
  vi.useFakeTimers()
  // The provider took a mail before, not since.
  vi.advanceTimersByTime(1_000)
  // The longest delay before the probe.
  vi.spyOn(Math, 'random').mockReturnValue(1)
  onTestFinished(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })
  const away = new SendError('No route', { outcome: 'provider', code: 'X' })
  const { sender, send, read, countsOf } = setUp(['smtp', 'mailgun'], [away, taken])
  expect(sender.name).toBe('providers')
  const smtp = { provider: 'smtp', place: '1' }
  const mailgun = { provider: 'mailgun', place: '2' }
  expect(read('mono_email_provider_in_use')).toEqual([
    { labels: smtp, value: 1 },
    { labels: mailgun, value: 0 },
  ])
  expect(await send()).toMatchObject({ provider: 'mailgun' })
  expect(read('mono_email_provider_in_use')).toEqual([
    { labels: smtp, value: 0 },
    { labels: mailgun, value: 1 },
  ])
  vi.advanceTimersByTime(900)
  expect(read('mono_email_provider_away_seconds')).toEqual([
    { labels: smtp, value: expect.closeTo(0.9) },
    { labels: mailgun, value: 0 },
  ])
  expect(countsOf('smtp')).toEqual({ ...nothing, provider: 1 })
  expect(countsOf('mailgun')).toEqual({ ...nothing, sent: 1 })
  await sender.provider.close()
})

test('nobody to send by is a mistake of the program', () => {
  expect(() => createSender([], createRecordingLogger())).toThrow('Expected a provider')
})
