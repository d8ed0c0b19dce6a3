import { once } from 'node:events'
import { connect } from 'node:net'
import { Transform } from 'node:stream'
import { createTransport as createNodemailer, type Transporter } from 'nodemailer'
import { describe, expect } from 'vitest'
import { test as base } from '../test.js'
import { waitFor } from '../wait-for.js'
import { createSmtpSink, type SmtpAnswer, type SmtpSink } from './index.js'

interface Failure {
  code?: string
  responseCode?: number
  permanent?: boolean
  command?: string
  rejected?: string[]
}

const mail = {
  from: 'app@example.com',
  to: 'ann@example.com',
  subject: 'Grüße',
  text: 'Hallo Ännchen',
  html: '<b>Hi</b>',
}

const createTransport = (sink: SmtpSink, options: object = {}) => {
  const { hostname: host, port } = new URL(sink.url)
  return createNodemailer({ host, port: Number(port), ...options })
}

const soon = <T>(condition: () => T, what: string) => waitFor(condition, { what, timeoutMs: 2_000, intervalMs: 5 })

const test = base.extend<{ transport: Transporter }>({
  transport: async ({ smtpSink, cleanUp }, use) => {
    const transport = createTransport(smtpSink)
    cleanUp(() => transport.close())
    await use(transport)
  },
})

const failureOf = (sent: Promise<unknown>) =>
  sent.then(
    () => expect.unreachable('the mail was sent'),
    (error: Failure) => error,
  )

test('keeps what it gets, parsed, with its envelope', async ({ smtpSink, transport }) => {
  const headers = { 'X-Long': 'word '.repeat(40).trim(), 'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click' }
  const envelope = { from: 'bounce@example.com', to: ['Ann@example.com', 'bob@example.com'] }
  await transport.sendMail({ ...mail, messageId: '<1@example.com>', headers, envelope })
  expect(smtpSink.received).toMatchObject([
    {
      from: 'bounce@example.com',
      to: ['Ann@example.com', 'bob@example.com'],
      subject: 'Grüße',
      text: 'Hallo Ännchen',
      html: '<b>Hi</b>',
      messageId: '<1@example.com>',
      headers: {
        to: 'ann@example.com',
        'x-long': 'word '.repeat(40).trim(),
        'list-unsubscribe-post': 'List-Unsubscribe=One-Click',
      },
      answered: true,
    },
  ])
  expect(smtpSink.received[0]?.raw.toString()).toContain('List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n')
  expect(smtpSink.counts()).toEqual(
    new Map([
      ['ann@example.com', 1],
      ['bob@example.com', 1],
    ]),
  )
  expect(smtpSink.receivedBy('ANN@example.com')).toEqual(smtpSink.received)
  expect(smtpSink.receivedBy('carol@example.com')).toEqual([])
})

test('greets at once', async ({ smtpSink, cleanUp }) => {
  const delays: number[] = []
  for (let opened = 0; opened < 5; opened += 1) {
    const since = performance.now()
    const socket = connect(smtpSink.port, '127.0.0.1')
    cleanUp(() => socket.destroy())
    const [greeting] = await once(socket, 'data')
    expect(String(greeting)).toMatch(/^220 /)
    delays.push(performance.now() - since)
  }
  expect(Math.min(...delays)).toBeLessThan(90)
})

test('takes many mails on one connection', async ({ smtpSink, cleanUp }) => {
  const transport = createTransport(smtpSink, { pool: true, maxConnections: 1 })
  cleanUp(() => transport.close())
  await Promise.all(Array.from({ length: 30 }, () => transport.sendMail(mail)))
  expect(smtpSink.received).toHaveLength(30)
  expect(smtpSink.connections).toBe(1)
})

const refusals: [answer: SmtpAnswer, failure: Failure][] = [
  ['rcpt 550', { code: 'EENVELOPE', responseCode: 550, permanent: true, command: 'RCPT TO', rejected: [mail.to] }],
  ['rcpt 450', { code: 'EENVELOPE', responseCode: 450, permanent: false, command: 'RCPT TO' }],
  ['mail 550', { code: 'EENVELOPE', responseCode: 550, permanent: true, command: 'MAIL FROM' }],
  ['mail 451', { code: 'EENVELOPE', responseCode: 451, permanent: false, command: 'MAIL FROM' }],
  ['mail 421', { code: 'EENVELOPE', responseCode: 421, permanent: false, command: 'MAIL FROM' }],
  ['data 554', { code: 'EMESSAGE', responseCode: 554, permanent: true, command: 'DATA' }],
  ['data 451', { code: 'EMESSAGE', responseCode: 451, permanent: false, command: 'DATA' }],
  ['data 421', { code: 'EMESSAGE', responseCode: 421, permanent: false, command: 'DATA' }],
  ['greeting 421', { code: 'EPROTOCOL', responseCode: 421, permanent: false, command: 'CONN' }],
  ['greeting 554', { code: 'EPROTOCOL', responseCode: 554, permanent: true, command: 'CONN' }],
  ['auth 535', { code: 'EAUTH', responseCode: 535, permanent: true }],
  ['auth 454', { code: 'EAUTH', responseCode: 454, permanent: false }],
]

test.for(refusals)('told `%s`, it refuses the mail once', async ([answer, failure], { smtpSink, cleanUp }) => {
  const transport = createTransport(smtpSink, { auth: { user: 'app', pass: 'secret' } })
  cleanUp(() => transport.close())
  smtpSink.answer('all', [answer])
  expect(await failureOf(transport.sendMail(mail))).toMatchObject(failure)
  expect(smtpSink.received).toEqual([])
  await transport.sendMail(mail)
  expect(smtpSink.received).toHaveLength(1)
})

test('with access tokens, it takes a mail only after a login with one of them, and says why not', async ({
  cleanUp,
}) => {
  const user = 'app@example.com'
  let refusal: string | undefined
  const accessTokens = { user, isValid: (token: string) => token === 'good' }
  const sink = await createSmtpSink({ accessTokens, refuseLogin: () => refusal })
  cleanUp(() => sink.close())
  const sendAs = (auth?: object) => createTransport(sink, { auth }).sendMail(mail)
  const withToken = (accessToken: string, fields = {}) => ({ type: 'OAuth2', user, accessToken, ...fields })

  await sendAs(withToken('good'))
  expect(await failureOf(sendAs(withToken('bad')))).toMatchObject({ code: 'EAUTH', responseCode: 535 })
  expect(await failureOf(sendAs(withToken('good', { user: 'other' })))).toMatchObject({ code: 'EAUTH' })
  expect(await failureOf(sendAs({ user, pass: 'good' }))).toMatchObject({ code: 'EAUTH' })
  expect(await failureOf(sendAs())).toMatchObject({ responseCode: 530 })
  refusal = '535 5.7.139 SMTP AUTH is off'
  expect(await failureOf(sendAs(withToken('good')))).toMatchObject({ response: refusal })
  expect(sink.received).toHaveLength(1)
  expect(sink.logins).toEqual([
    { user, accessToken: 'good', accepted: true },
    // nodemailer tries it once more.
    { user, accessToken: 'bad', accepted: false },
    { user, accessToken: 'bad', accepted: false },
    { user: 'other', accessToken: 'good', accepted: false },
    { user: 'other', accessToken: 'good', accepted: false },
  ])
})

/** Tells whether the client has sent the mail to its end. */
function watchFlush(transport: Transporter): () => boolean {
  let isFlushed = false
  transport.use('stream', ({ message }, callback) => {
    message.transform(
      () =>
        new Transform({
          transform: (chunk, _encoding, done) => done(null, chunk),
          flush(done) {
            isFlushed = true
            done()
          },
        }),
    )
    callback()
  })
  return () => isFlushed
}

const lost = { code: expect.stringMatching(/^(ECONNECTION|ESOCKET)$/), command: 'CONN' }

const losses: [answer: SmtpAnswer, failure: object, isFlushed: boolean | undefined, taken: number][] = [
  ['drop-before-data', lost, false, 0],
  // A short mail may have been sent to its end by then.
  ['drop-in-data', lost, undefined, 0],
  ['drop-after-data', lost, true, 1],
  ['hang-after-data', { code: 'ETIMEDOUT', command: 'CONN' }, true, 1],
]

test.for(losses)('told `%s`, it leaves the client without an answer', async (loss, { smtpSink, cleanUp }) => {
  const [answer, failure, isFlushed, taken] = loss
  const transport = createTransport(smtpSink, answer === 'hang-after-data' ? { socketTimeout: 300 } : {})
  cleanUp(() => transport.close())
  smtpSink.answer(mail.to, [answer])
  const wasFlushed = watchFlush(transport)
  const found = await failureOf(transport.sendMail(mail))
  expect(found).toMatchObject(failure)
  expect(found.permanent).toBeUndefined()
  if (isFlushed !== undefined) expect(wasFlushed()).toBe(isFlushed)
  expect(smtpSink.received).toHaveLength(taken)
  for (const { answered, text } of smtpSink.received) expect([answered, text]).toEqual([false, mail.text])
})

test('drops a long mail before it is there', async ({ smtpSink, transport }) => {
  smtpSink.answer('all', 'drop-in-data')
  const wasFlushed = watchFlush(transport)
  expect(await failureOf(transport.sendMail({ ...mail, text: 'x'.repeat(20_000_000) }))).toMatchObject(lost)
  expect(wasFlushed()).toBe(false)
  expect(smtpSink.received).toEqual([])
})

test('does not greet', async ({ smtpSink, cleanUp }) => {
  const transport = createTransport(smtpSink, { greetingTimeout: 100 })
  cleanUp(() => transport.close())
  smtpSink.answer('all', ['hang-at-greeting'])
  expect(await failureOf(transport.sendMail(mail))).toMatchObject({ code: 'ETIMEDOUT', command: 'CONN' })
  await soon(() => smtpSink.connections === 0, 'the connection to end')
  await transport.sendMail(mail)
})

test('answers late that it has taken a mail', async ({ smtpSink, transport }) => {
  smtpSink.answer('all', 'delay 200')
  const since = performance.now()
  await transport.sendMail(mail)
  expect(performance.now() - since).toBeGreaterThan(190)
  expect(smtpSink.received).toMatchObject([{ answered: true }])
})

test('refuses some recipients of a mail', async ({ smtpSink, transport }) => {
  smtpSink.answer('gone@example.com', 'rcpt 550')
  smtpSink.answer('Later@example.com', ['rcpt 450'])
  const to = ['ann@example.com', 'gone@example.com', 'later@example.com', 'bob@example.com']
  expect(await transport.sendMail({ ...mail, to })).toMatchObject({
    accepted: ['ann@example.com', 'bob@example.com'],
    rejected: ['gone@example.com', 'later@example.com'],
    rejectedErrors: [
      { recipient: 'gone@example.com', responseCode: 550, permanent: true },
      { recipient: 'later@example.com', responseCode: 450, permanent: false },
    ],
  })
  expect(smtpSink.received).toMatchObject([{ to: ['ann@example.com', 'bob@example.com'] }])
  await transport.sendMail({ ...mail, to: 'later@example.com' })
  expect([...smtpSink.counts().keys()]).toEqual(['ann@example.com', 'bob@example.com', 'later@example.com'])
})

describe('what is told', () => {
  test('holds until another is set, or is given so often', async ({ smtpSink, transport }) => {
    smtpSink.answer(mail.to, 'rcpt 451', { times: 2 })
    for (const _ of [1, 2]) expect(await failureOf(transport.sendMail(mail))).toMatchObject({ responseCode: 451 })
    await transport.sendMail(mail)
    smtpSink.answer(mail.to, 'rcpt 550')
    for (const _ of [1, 2, 3]) expect(await failureOf(transport.sendMail(mail))).toMatchObject({ responseCode: 550 })
    smtpSink.answer(mail.to, 'accept')
    await transport.sendMail(mail)
    expect(smtpSink.counts().get(mail.to)).toBe(2)
  })

  test('waits for its phase, in its order', async ({ smtpSink, transport }) => {
    smtpSink.answer('all', ['greeting 421', 'rcpt 451', 'accept', 'data 554'])
    expect(await failureOf(transport.sendMail(mail))).toMatchObject({ responseCode: 421 })
    expect(await failureOf(transport.sendMail(mail))).toMatchObject({ responseCode: 451 })
    await transport.sendMail(mail)
    expect(await failureOf(transport.sendMail(mail))).toMatchObject({ responseCode: 554 })
    await transport.sendMail(mail)
  })

  test('for an address counts before what is told for all', async ({ smtpSink, transport }) => {
    smtpSink.answer('all', 'data 554')
    smtpSink.answer(mail.to, 'accept')
    await transport.sendMail(mail)
    expect(await failureOf(transport.sendMail({ ...mail, to: 'bob@example.com' }))).toMatchObject({ responseCode: 554 })
  })

  test.for<[string, string, string]>([
    ['all', 'rcpt 250', 'found `rcpt 250`'],
    ['all', 'explode', 'found `explode`'],
    ['ann@example.com', 'greeting 421', "expected the target 'all', found 'ann@example.com'"],
    ['ann@example.com', 'auth 535', "expected the target 'all', found 'ann@example.com'"],
  ])('is refused if it makes no sense: %s, %s', ([target, answer, message], { smtpSink }) => {
    expect(() => smtpSink.answer(target, answer as SmtpAnswer)).toThrow(message)
  })
})

describe('STARTTLS', () => {
  test('is refused', async ({ smtpSink, cleanUp }) => {
    const transport = createTransport(smtpSink, { requireTLS: true })
    cleanUp(() => transport.close())
    expect(await failureOf(transport.sendMail(mail))).toMatchObject({
      code: 'ETLS',
      responseCode: 500,
      permanent: true,
    })
  })

  test('is taken if it was asked for', async ({ cleanUp }) => {
    const sink = await createSmtpSink({ starttls: true })
    const transport = createTransport(sink, { requireTLS: true, tls: { ca: sink.ca } })
    cleanUp(() => sink.close())
    cleanUp(() => transport.close())
    await transport.sendMail(mail)
    expect(sink.received).toHaveLength(1)
    await soon(() => sink.connections === 0, 'the connection to be counted as closed')
  })
})

test('stopped, it closes what is open and refuses; started, it is as before on the same port', async ({
  smtpSink,
  transport,
}) => {
  smtpSink.answer(mail.to, ['hang-after-data', 'rcpt 550'])
  const hanging = failureOf(transport.sendMail(mail))
  await soon(() => smtpSink.received.length === 1, 'the mail')
  await smtpSink.stop()
  expect(await hanging).toMatchObject(lost)
  expect(smtpSink.connections).toBe(0)
  expect(await failureOf(transport.sendMail(mail))).toMatchObject({ code: 'ESOCKET', originalCode: 'ECONNREFUSED' })
  await smtpSink.start()
  expect(await failureOf(transport.sendMail(mail))).toMatchObject({ responseCode: 550 })
  await transport.sendMail(mail)
  expect(smtpSink.received).toHaveLength(2)
})
